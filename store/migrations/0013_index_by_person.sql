-- A person's time is summed up from the index by person alone: in a large
-- workspace each entry of a week lies on another page.
--
-- Each statement can be run again, and writers go on meanwhile.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS time_entry_person;
CREATE INDEX CONCURRENTLY time_entry_person ON time_entry (workspace_id, user_id, started_at, id)
  INCLUDE (day, project_id, task_id, billable, secs, amount_x3600, currency)
  WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS time_entry_user;
ALTER INDEX time_entry_person RENAME TO time_entry_user;
