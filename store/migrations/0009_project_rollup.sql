-- Sums of whole projects, folded behind the rollup in the background, so that no
-- writer meets a row that others write: a row of the rollup keeps how much of it
-- is in its project's row, and what is not yet is its unfolded rest. Sums of
-- projects are those of project_rollup and the rests, read in one statement.

-- +goose Up
-- Whether there is a rest follows from the sums by itself, so that nothing that
-- writes them can forget it, an older program least of all. A row stays on its
-- page when it is written again before it is folded. This writes the rollup anew:
-- a second for 400,000 rows, in which writers wait.
ALTER TABLE rollup
  ADD COLUMN folded_entries      bigint  NOT NULL DEFAULT 0,
  ADD COLUMN folded_secs         bigint  NOT NULL DEFAULT 0,
  ADD COLUMN folded_amount_x3600 numeric NOT NULL DEFAULT 0,
  ADD COLUMN unfolded            boolean NOT NULL GENERATED ALWAYS AS
    (entries <> folded_entries OR secs <> folded_secs OR amount_x3600 <> folded_amount_x3600) STORED;
CREATE INDEX rollup_unfolded ON rollup (workspace_id, month) WHERE unfolded;

-- A row adds up what is folded of the rollup's rows of its key.
CREATE TABLE project_rollup (
  workspace_id bigint  NOT NULL,
  month        date    NOT NULL, -- its first day
  project_id   bigint  NOT NULL, -- 0: none
  billable     boolean NOT NULL,
  currency     text    NOT NULL,
  entries      bigint  NOT NULL,
  secs         bigint  NOT NULL,
  amount_x3600 numeric NOT NULL,
  CONSTRAINT project_rollup_pk PRIMARY KEY (workspace_id, month, project_id, billable, currency)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);

-- A row of which something is folded stays, even if no entry is left of it:
-- older programs delete rows without entries.
-- +goose StatementBegin
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
-- +goose StatementEnd
CREATE TRIGGER rollup_folded BEFORE DELETE ON rollup FOR EACH ROW
  WHEN (OLD.folded_entries <> 0 OR OLD.folded_secs <> 0 OR OLD.folded_amount_x3600 <> 0)
  EXECUTE FUNCTION keep_row();

-- What has to be added to a workspace's project_rollup so that it says what is
-- folded; no rows where it does.
-- +goose StatementBegin
CREATE FUNCTION project_rollup_drift(ws bigint)
RETURNS TABLE (month date, project_id bigint, billable boolean, currency text, entries bigint, secs bigint, amount_x3600 numeric)
LANGUAGE sql STABLE AS
$$ SELECT d.month, d.project_id, d.billable, d.currency, sum(d.entries)::bigint, sum(d.secs)::bigint, sum(d.amount_x3600)
   FROM (
     SELECT r.month, r.project_id, r.billable, r.currency, r.folded_entries AS entries, r.folded_secs AS secs, r.folded_amount_x3600 AS amount_x3600
     FROM rollup r
     WHERE r.workspace_id = ws
     UNION ALL
     SELECT p.month, p.project_id, p.billable, p.currency, -p.entries, -p.secs, -p.amount_x3600
     FROM project_rollup p
     WHERE p.workspace_id = ws
   ) d
   GROUP BY 1, 2, 3, 4
   HAVING sum(d.entries) <> 0 OR sum(d.secs) <> 0 OR sum(d.amount_x3600) <> 0 $$;
-- +goose StatementEnd
