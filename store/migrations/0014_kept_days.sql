-- Entries in closed books and invoiced ones stay on their day when the workspace
-- changes its zone, also once the books are open again.

-- +goose Up
-- The zone that day is of, where that is not the workspace's.
ALTER TABLE time_entry ADD COLUMN day_zone text;
