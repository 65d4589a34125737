-- How much work the busiest minute was, beside how many operations: what the
-- database could do over that is the headroom that is left.

-- +goose Up
ALTER TABLE usage_minute ADD COLUMN work_ms bigint NOT NULL DEFAULT 0; -- points taken, about milliseconds of database and server time
ALTER TABLE usage_week ADD COLUMN peak_work_ms bigint NOT NULL DEFAULT 0; -- in the minute with most of it

-- +goose Down
ALTER TABLE usage_week DROP COLUMN peak_work_ms;
ALTER TABLE usage_minute DROP COLUMN work_ms;
