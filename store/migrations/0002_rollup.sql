-- The monthly sums of finished entries, kept in step with them by statement
-- triggers. A row has one writer, its user, so that writers of one project
-- never wait for each other. What has no project stands under 0: a primary key
-- takes no null, and ids begin with 1.
--
-- Each statement here can be run again, and none holds a lock on entries for
-- longer than it takes to make a trigger: the sums of what was there before are
-- added as a difference, which writers meanwhile do not disturb.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS rollup (
  workspace_id bigint  NOT NULL,
  month        date    NOT NULL, -- its first day
  project_id   bigint  NOT NULL, -- 0: none
  user_id      bigint  NOT NULL,
  billable     boolean NOT NULL,
  currency     text    NOT NULL,
  entries      bigint  NOT NULL,
  secs         bigint  NOT NULL,
  amount_x3600 numeric NOT NULL, -- 15,000 weeks at the highest rate are beyond 64 bits
  CONSTRAINT rollup_pk PRIMARY KEY (workspace_id, month, project_id, user_id, billable, currency)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
-- Updates stay on their page as long as no index holds a sum.
CREATE INDEX IF NOT EXISTS rollup_project ON rollup (workspace_id, project_id, month);

-- True from the moment that a check has found the rollup to differ from the
-- entries until it is repaired: reports read the entries meanwhile.
ALTER TABLE workspace ADD COLUMN IF NOT EXISTS rollup_drifted boolean NOT NULL DEFAULT false;

-- The rows of one statement are added in the order of their key, so that two
-- statements never wait for each other. Rows that fall to no entries stay until
-- the next rebuild: whoever deleted them would wait for whoever adds to them.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO rollup AS r (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
  SELECT e.workspace_id, date_trunc('month', e.day::timestamp)::date, coalesce(e.project_id, 0), e.user_id, e.billable, e.currency,
         count(*), sum(e.secs), sum(e.amount_x3600)
  FROM added e
  WHERE e.deleted_at IS NULL AND e.ended_at IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
  ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT ON CONSTRAINT rollup_pk
  DO UPDATE SET entries = r.entries + excluded.entries, secs = r.secs + excluded.secs, amount_x3600 = r.amount_x3600 + excluded.amount_x3600;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_removed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO rollup AS r (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
  SELECT e.workspace_id, date_trunc('month', e.day::timestamp)::date, coalesce(e.project_id, 0), e.user_id, e.billable, e.currency,
         -count(*), -sum(e.secs), -sum(e.amount_x3600)
  FROM removed e
  WHERE e.deleted_at IS NULL AND e.ended_at IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
  ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT ON CONSTRAINT rollup_pk
  DO UPDATE SET entries = r.entries + excluded.entries, secs = r.secs + excluded.secs, amount_x3600 = r.amount_x3600 + excluded.amount_x3600;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO rollup AS r (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
  SELECT e.workspace_id, date_trunc('month', e.day::timestamp)::date, coalesce(e.project_id, 0), e.user_id, e.billable, e.currency,
         sum(e.n), sum(e.n * e.secs), sum(e.n * e.amount_x3600)
  FROM (
    SELECT workspace_id, day, project_id, user_id, billable, currency, secs, amount_x3600, 1 AS n FROM added WHERE deleted_at IS NULL AND ended_at IS NOT NULL
    UNION ALL
    SELECT workspace_id, day, project_id, user_id, billable, currency, secs, amount_x3600, -1 FROM removed WHERE deleted_at IS NULL AND ended_at IS NOT NULL
  ) e
  GROUP BY 1, 2, 3, 4, 5, 6
  HAVING sum(e.n) <> 0 OR sum(e.n * e.secs) <> 0 OR sum(e.n * e.amount_x3600) <> 0
  ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT ON CONSTRAINT rollup_pk
  DO UPDATE SET entries = r.entries + excluded.entries, secs = r.secs + excluded.secs, amount_x3600 = r.amount_x3600 + excluded.amount_x3600;
  RETURN NULL;
END $$;
-- +goose StatementEnd

-- A transaction that writes very many entries turns the triggers off for
-- itself, set_config('headroom.fold', 'off', true), and adds the difference
-- before it commits (repair_rollup).
CREATE OR REPLACE TRIGGER time_entry_added AFTER INSERT ON time_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT WHEN (current_setting('headroom.fold', true) IS DISTINCT FROM 'off') EXECUTE FUNCTION fold_added();
CREATE OR REPLACE TRIGGER time_entry_changed AFTER UPDATE ON time_entry REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT WHEN (current_setting('headroom.fold', true) IS DISTINCT FROM 'off') EXECUTE FUNCTION fold_changed();
CREATE OR REPLACE TRIGGER time_entry_removed AFTER DELETE ON time_entry REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT WHEN (current_setting('headroom.fold', true) IS DISTINCT FROM 'off') EXECUTE FUNCTION fold_removed();

-- What has to be added to a workspace's rollup so that it says what its entries
-- say; no rows where it does.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION rollup_drift(ws bigint)
RETURNS TABLE (month date, project_id bigint, user_id bigint, billable boolean, currency text, entries bigint, secs bigint, amount_x3600 numeric)
LANGUAGE sql STABLE AS
$$ SELECT d.month, d.project_id, d.user_id, d.billable, d.currency, sum(d.entries)::bigint, sum(d.secs)::bigint, sum(d.amount_x3600)
   FROM (
     SELECT date_trunc('month', e.day::timestamp)::date AS month, coalesce(e.project_id, 0) AS project_id, e.user_id, e.billable, e.currency,
            count(*) AS entries, sum(e.secs) AS secs, sum(e.amount_x3600) AS amount_x3600
     FROM time_entry e
     WHERE e.workspace_id = ws AND e.deleted_at IS NULL AND e.ended_at IS NOT NULL
     GROUP BY 1, 2, 3, 4, 5
     UNION ALL
     SELECT r.month, r.project_id, r.user_id, r.billable, r.currency, -r.entries, -r.secs, -r.amount_x3600
     FROM rollup r
     WHERE r.workspace_id = ws
   ) d
   GROUP BY 1, 2, 3, 4, 5
   HAVING sum(d.entries) <> 0 OR sum(d.secs) <> 0 OR sum(d.amount_x3600) <> 0 $$;
-- +goose StatementEnd

-- Adds the difference and returns how many rows it had. Difference and sum are
-- of one snapshot and every writer adds the same to both, so that nobody has to
-- wait for it and it waits for none but those who have just added to a row.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION repair_rollup(ws bigint) RETURNS bigint LANGUAGE sql AS
$$ WITH added AS (
     INSERT INTO rollup AS r (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
     SELECT ws, d.*
     FROM rollup_drift(ws) d
     ORDER BY d.month, d.project_id, d.user_id, d.billable, d.currency
     ON CONFLICT ON CONSTRAINT rollup_pk
     DO UPDATE SET entries = r.entries + excluded.entries, secs = r.secs + excluded.secs, amount_x3600 = r.amount_x3600 + excluded.amount_x3600
     RETURNING 1
   )
   SELECT count(*) FROM added $$;
-- +goose StatementEnd

SELECT count(repair_rollup(w.workspace_id)) FROM workspace w;
ANALYZE rollup;

-- Who has changed how much: one row for each person, since a row of the whole
-- workspace would let one change commit at a time. Every change is audited, and
-- counted there. The sum is the workspace's version, and last tells whether a
-- report has seen all that one person did.
CREATE TABLE IF NOT EXISTS activity (
  workspace_id bigint NOT NULL,
  user_id      bigint NOT NULL, -- 0: the command line
  changes      bigint NOT NULL,
  last         xid8   NOT NULL,
  CONSTRAINT activity_pk PRIMARY KEY (workspace_id, user_id)
) WITH (fillfactor = 50);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO activity AS a (workspace_id, user_id, changes, last)
  VALUES (NEW.workspace_id, coalesce(NEW.actor_id, 0), 1, pg_current_xact_id())
  ON CONFLICT ON CONSTRAINT activity_pk DO UPDATE SET changes = a.changes + 1, last = excluded.last;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER audit_activity AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION count_change();
