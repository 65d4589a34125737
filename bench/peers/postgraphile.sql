-- What PostGraphile's book writes as functions: whatever is more than a table.
-- Who asks is a setting of the transaction.
CREATE OR REPLACE FUNCTION textbook.me() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT current_setting('app.user_id')::bigint $$;
COMMENT ON FUNCTION textbook.me() IS '@behavior -*';

CREATE OR REPLACE FUNCTION textbook.workspace() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT workspace_id FROM textbook.app_user WHERE id = textbook.me() $$;
COMMENT ON FUNCTION textbook.workspace() IS '@behavior -*';

CREATE OR REPLACE FUNCTION textbook.viewer() RETURNS textbook.app_user LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.app_user WHERE id = textbook.me() $$;

CREATE OR REPLACE FUNCTION textbook.time_entry_seconds(e textbook.time_entry) RETURNS int LANGUAGE sql STABLE AS
$$ SELECT extract(epoch FROM e.ended_at - e.started_at)::int $$;

CREATE OR REPLACE FUNCTION textbook.time_entry_tags(e textbook.time_entry) RETURNS SETOF textbook.tag LANGUAGE sql STABLE AS
$$ SELECT t.* FROM textbook.entry_tag et JOIN textbook.tag t ON t.id = et.tag_id WHERE et.entry_id = e.id ORDER BY t.id $$;

CREATE OR REPLACE FUNCTION textbook.project_tracked_seconds(p textbook.project) RETURNS int LANGUAGE sql STABLE AS
$$ SELECT seconds::int FROM textbook.project_total WHERE project_id = p.id $$;

CREATE OR REPLACE FUNCTION textbook.my_day(day date) RETURNS SETOF textbook.time_entry LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.time_entry WHERE user_id = textbook.me() AND started_at >= day AND started_at < day + 1 AND ended_at IS NOT NULL ORDER BY started_at, id $$;

CREATE OR REPLACE FUNCTION textbook.running_timer() RETURNS textbook.time_entry LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.time_entry WHERE user_id = textbook.me() AND ended_at IS NULL $$;

CREATE OR REPLACE FUNCTION textbook.my_projects() RETURNS SETOF textbook.project LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.project WHERE workspace_id = textbook.workspace() ORDER BY name, id $$;

CREATE OR REPLACE FUNCTION textbook.my_clients() RETURNS SETOF textbook.client LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.client WHERE workspace_id = textbook.workspace() ORDER BY name, id $$;

CREATE OR REPLACE FUNCTION textbook.my_tags() RETURNS SETOF textbook.tag LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.tag WHERE workspace_id = textbook.workspace() ORDER BY name, id $$;

CREATE OR REPLACE FUNCTION textbook.newest_entries(n int) RETURNS SETOF textbook.time_entry LANGUAGE sql STABLE AS
$$ SELECT * FROM textbook.time_entry WHERE workspace_id = textbook.workspace() ORDER BY started_at DESC, id DESC LIMIT n $$;

CREATE OR REPLACE FUNCTION textbook.month_by_project("from" date, "to" date) RETURNS TABLE (project text, seconds int) LANGUAGE sql STABLE AS
$$ SELECT p.name, sum(extract(epoch FROM e.ended_at - e.started_at))::int
FROM textbook.time_entry e JOIN textbook.project p ON p.id = e.project_id
WHERE e.workspace_id = textbook.workspace() AND e.started_at >= "from" AND e.started_at < "to" + 1 AND e.ended_at IS NOT NULL
GROUP BY p.id ORDER BY p.name, p.id $$;

CREATE OR REPLACE FUNCTION textbook.year_by_week("from" date, "to" date, n int) RETURNS TABLE (project text, "user" text, week text, seconds int) LANGUAGE sql STABLE AS
$$ SELECT p.name, u.name, date_trunc('week', e.started_at)::date::text, sum(extract(epoch FROM e.ended_at - e.started_at))::int AS seconds
FROM textbook.time_entry e JOIN textbook.project p ON p.id = e.project_id JOIN textbook.app_user u ON u.id = e.user_id
WHERE e.workspace_id = textbook.workspace() AND e.started_at >= "from" AND e.started_at < "to" + 1 AND e.ended_at IS NOT NULL
GROUP BY p.id, u.id, 3 ORDER BY 1, 2, 3 LIMIT n $$;

CREATE OR REPLACE FUNCTION textbook.add_entry(project bigint, task bigint, started_at timestamptz, ended_at timestamptz, description text) RETURNS textbook.time_entry LANGUAGE sql VOLATILE AS
$$ INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, task_id, started_at, ended_at, description, billable)
SELECT textbook.workspace(), textbook.me(), project, task, started_at, ended_at, description, true RETURNING * $$;

CREATE OR REPLACE FUNCTION textbook.stop_timer(at timestamptz) RETURNS textbook.time_entry LANGUAGE sql VOLATILE AS
$$ UPDATE textbook.time_entry SET ended_at = at WHERE user_id = textbook.me() AND ended_at IS NULL RETURNING * $$;

CREATE OR REPLACE FUNCTION textbook.start_timer(project bigint, at timestamptz, description text) RETURNS textbook.time_entry LANGUAGE sql VOLATILE AS
$$ UPDATE textbook.time_entry SET ended_at = at WHERE user_id = textbook.me() AND ended_at IS NULL;
INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, started_at, description, billable)
SELECT textbook.workspace(), textbook.me(), project, at, description, true RETURNING * $$;
