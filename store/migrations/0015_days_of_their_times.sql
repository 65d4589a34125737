-- Reports that split entries at midnight, or that are in another zone, find by
-- these the few entries of which the day alone does not say where they count: long
-- ones, and those that keep the day of a former zone. An entry that is neither
-- costs a write next to nothing, and nothing is stored for it.
--
-- Each statement can be run again, and writers go on meanwhile.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS time_entry_long;
CREATE INDEX CONCURRENTLY time_entry_long ON time_entry (workspace_id, day, started_at)
  WHERE deleted_at IS NULL AND ended_at IS NOT NULL AND secs > 43200;
DROP INDEX CONCURRENTLY IF EXISTS time_entry_kept;
CREATE INDEX CONCURRENTLY time_entry_kept ON time_entry (workspace_id, day)
  WHERE deleted_at IS NULL AND day_zone IS NOT NULL;
