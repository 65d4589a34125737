-- Adding one entry to the rollup, as nearly every write does, without sorting and
-- grouping; and whether sums follow is asked by the triggers' functions: the
-- condition of a trigger is read from its text by every statement.

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF current_setting('headroom.fold', true) = 'off' THEN
    RETURN NULL;
  END IF;
  INSERT INTO rollup AS r (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
  SELECT e.workspace_id, date_trunc('month', e.day::timestamp)::date, coalesce(e.project_id, 0), e.user_id, e.billable, e.currency,
         1, e.secs, e.amount_x3600
  FROM added e
  WHERE e.deleted_at IS NULL AND e.ended_at IS NOT NULL AND NOT EXISTS (SELECT FROM added OFFSET 1)
  ON CONFLICT ON CONSTRAINT rollup_pk
  DO UPDATE SET entries = r.entries + excluded.entries, secs = r.secs + excluded.secs, amount_x3600 = r.amount_x3600 + excluded.amount_x3600;
  IF FOUND THEN
    RETURN NULL;
  END IF;
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
  IF current_setting('headroom.fold', true) = 'off' THEN
    RETURN NULL;
  END IF;
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
  IF current_setting('headroom.fold', true) = 'off' THEN
    RETURN NULL;
  END IF;
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

CREATE OR REPLACE TRIGGER time_entry_added AFTER INSERT ON time_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION fold_added();
CREATE OR REPLACE TRIGGER time_entry_changed AFTER UPDATE ON time_entry REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION fold_changed();
CREATE OR REPLACE TRIGGER time_entry_removed AFTER DELETE ON time_entry REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION fold_removed();
