-- As whom a file was written: its link ends once whoever asked for it may no longer
-- see what is in it. Files of servers from before are of an unknown role.

-- +goose Up
ALTER TABLE export_job ADD COLUMN written_as text;

-- +goose Down
ALTER TABLE export_job DROP COLUMN written_as;
