-- Operators' orders of more kinds: one token is blocked, the seats of a class are set,
-- the gate is held on a rung of its ladder, a request that runs is ended. Servers from
-- before name these among the orders in force and do nothing about them.

-- +goose Up
ALTER TABLE gate_order
  DROP CONSTRAINT gate_order_kind_check,
  ADD CONSTRAINT gate_order_kind_check
    CHECK (kind IN ('tenant', 'operation', 'client', 'token', 'mode', 'slots', 'seats', 'brownout', 'kill'));

-- +goose Down
ALTER TABLE gate_order
  DROP CONSTRAINT gate_order_kind_check,
  ADD CONSTRAINT gate_order_kind_check
    CHECK (kind IN ('tenant', 'operation', 'client', 'mode', 'slots')) NOT VALID;
