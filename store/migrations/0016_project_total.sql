-- Sums of whole projects over all months: a list of projects shows them, and
-- adding up the months of fifty took a statement of two milliseconds.
--
-- Whoever writes project_rollup, older programs too, keeps them in step by its
-- triggers. Only one transaction at a time writes the sums of a workspace, so that
-- nobody waits here.

-- +goose Up
CREATE TABLE project_total (
  workspace_id bigint NOT NULL,
  project_id   bigint NOT NULL, -- 0: none
  secs         bigint NOT NULL, -- of all rows of project_rollup
  CONSTRAINT project_total_pk PRIMARY KEY (workspace_id, project_id)
) WITH (fillfactor = 50);

-- +goose StatementBegin
CREATE FUNCTION total_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO project_total AS t (workspace_id, project_id, secs)
  SELECT p.workspace_id, p.project_id, sum(p.secs)
  FROM added p
  GROUP BY 1, 2
  ORDER BY 1, 2
  ON CONFLICT ON CONSTRAINT project_total_pk DO UPDATE SET secs = t.secs + excluded.secs;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION total_removed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO project_total AS t (workspace_id, project_id, secs)
  SELECT p.workspace_id, p.project_id, -sum(p.secs)
  FROM removed p
  GROUP BY 1, 2
  ORDER BY 1, 2
  ON CONFLICT ON CONSTRAINT project_total_pk DO UPDATE SET secs = t.secs + excluded.secs;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER project_rollup_added AFTER INSERT ON project_rollup REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION total_added();
CREATE TRIGGER project_rollup_changed_to AFTER UPDATE ON project_rollup REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION total_added();
CREATE TRIGGER project_rollup_changed_from AFTER UPDATE ON project_rollup REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION total_removed();
CREATE TRIGGER project_rollup_removed AFTER DELETE ON project_rollup REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION total_removed();
-- Loads turn triggers off, and these are needed there too.
ALTER TABLE project_rollup
  ENABLE ALWAYS TRIGGER project_rollup_added,
  ENABLE ALWAYS TRIGGER project_rollup_changed_to,
  ENABLE ALWAYS TRIGGER project_rollup_changed_from,
  ENABLE ALWAYS TRIGGER project_rollup_removed;

-- What has to be added to a workspace's project_total so that it says what its
-- project_rollup says; no rows where it does.
-- +goose StatementBegin
CREATE FUNCTION project_total_drift(ws bigint) RETURNS TABLE (project_id bigint, secs bigint) LANGUAGE sql STABLE AS
$$ SELECT d.project_id, sum(d.secs)::bigint
   FROM (
     SELECT p.project_id, p.secs FROM project_rollup p WHERE p.workspace_id = ws
     UNION ALL
     SELECT t.project_id, -t.secs FROM project_total t WHERE t.workspace_id = ws
   ) d
   GROUP BY 1
   HAVING sum(d.secs) <> 0 $$;
-- +goose StatementEnd

-- Folders that run meanwhile wait for the triggers, and then find them.
INSERT INTO project_total (workspace_id, project_id, secs)
SELECT p.workspace_id, p.project_id, sum(p.secs)
FROM project_rollup p
GROUP BY 1, 2;
ANALYZE project_total;
