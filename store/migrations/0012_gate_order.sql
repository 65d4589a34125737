-- What operators have all servers do for a while: blocks of a workspace, an
-- operation or a client, another mode of the gate, another number of report slots.
-- A row is an order and the record of it: who gave it, why, until when, and who
-- took it back. Rows are never deleted by the program.

-- +goose Up
CREATE TABLE gate_order (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind         text        NOT NULL CHECK (kind IN ('tenant', 'operation', 'client', 'mode', 'slots')),
  subject      text        NOT NULL CHECK (subject <> ''), -- who is blocked; the mode; the number
  label        text        NOT NULL DEFAULT '', -- the workspace's name
  reason       text        NOT NULL CHECK (reason <> ''),
  given_by     text        NOT NULL,
  given_at     timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  ended_at     timestamptz, -- taken back, or replaced, before it expired
  ended_by     text,
  ended_reason text
);

CREATE INDEX gate_order_open ON gate_order (expires_at) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE gate_order;
