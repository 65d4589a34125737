package main

// entryObject is an entry as JSON, with its project p, client c and task t
// joined.
const entryObject = `json_build_object(
  'id', e.id, 'description', e.description, 'startedAt', e.started_at, 'endedAt', e.ended_at,
  'seconds', extract(epoch FROM e.ended_at - e.started_at)::int, 'billable', e.billable,
  'project', CASE WHEN p.id IS NOT NULL THEN json_build_object('id', p.id, 'name', p.name,
    'client', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END) END,
  'task', CASE WHEN t.id IS NOT NULL THEN json_build_object('id', t.id, 'name', t.name) END)`

const entryJoins = `
LEFT JOIN textbook.project p ON p.id = e.project_id
LEFT JOIN textbook.client c ON c.id = p.client_id
LEFT JOIN textbook.task t ON t.id = e.task_id`

// workspace is that of who asks.
const workspace = `(SELECT workspace_id FROM textbook.app_user WHERE id = $1)`

// shortEntry is an entry that was just written, as JSON.
const shortEntry = `json_build_object('id', e.id, 'description', e.description, 'startedAt', e.started_at, 'endedAt', e.ended_at,
  'project', (SELECT json_build_object('id', p.id, 'name', p.name) FROM textbook.project p WHERE p.id = e.project_id))`

// statements are the operations by their path.
var statements = map[string]string{
	"my-day": `SELECT json_build_object('data', json_build_object(
  'viewer', (SELECT json_build_object('user', json_build_object('id', u.id, 'name', u.name)) FROM textbook.app_user u WHERE u.id = $1),
  'myDay', json_build_object('entries', (
    SELECT coalesce(json_agg(` + entryObject + ` ORDER BY e.started_at, e.id), '[]')
    FROM textbook.time_entry e` + entryJoins + `
    WHERE e.user_id = $1 AND e.started_at >= ($2::text::date)::timestamptz AND e.started_at < ($2::text::date + 1)::timestamptz AND e.ended_at IS NOT NULL))))`,

	"projects": `SELECT json_build_object('data', json_build_object('projects', (
  SELECT coalesce(json_agg(json_build_object('id', p.id, 'name', p.name,
    'client', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
    'trackedSeconds', s.seconds) ORDER BY p.name, p.id), '[]')
  FROM (SELECT * FROM textbook.project WHERE workspace_id = ` + workspace + ` ORDER BY name, id LIMIT $2) p
  LEFT JOIN textbook.client c ON c.id = p.client_id
  LEFT JOIN textbook.project_total s ON s.project_id = p.id)))`,

	"page": `SELECT json_build_object('data', json_build_object('timeEntries', (
  SELECT coalesce(json_agg(json_build_object(
    'id', e.id, 'description', e.description, 'startedAt', e.started_at, 'endedAt', e.ended_at,
    'seconds', extract(epoch FROM e.ended_at - e.started_at)::int, 'billable', e.billable,
    'user', json_build_object('id', u.id, 'name', u.name),
    'project', CASE WHEN p.id IS NOT NULL THEN json_build_object('id', p.id, 'name', p.name,
      'client', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END) END,
    'task', CASE WHEN t.id IS NOT NULL THEN json_build_object('id', t.id, 'name', t.name) END,
    'tags', (SELECT coalesce(json_agg(json_build_object('id', g.id, 'name', g.name) ORDER BY g.id), '[]')
      FROM textbook.entry_tag et JOIN textbook.tag g ON g.id = et.tag_id WHERE et.entry_id = e.id)) ORDER BY e.started_at DESC, e.id DESC), '[]')
  FROM (SELECT * FROM textbook.time_entry WHERE workspace_id = ` + workspace + ` ORDER BY started_at DESC, id DESC LIMIT $2) e
  JOIN textbook.app_user u ON u.id = e.user_id` + entryJoins + `)))`,

	"create": `WITH e AS (
  INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, started_at, ended_at, description, billable)
  SELECT workspace_id, $1, $2::bigint, $3::text::timestamptz, $4::text::timestamptz, $5, true FROM textbook.app_user WHERE id = $1
  RETURNING *)
SELECT json_build_object('data', json_build_object('createTimeEntry', ` + shortEntry + `)) FROM e`,

	"start": `WITH stopped AS (
  UPDATE textbook.time_entry SET ended_at = $3::text::timestamptz WHERE user_id = $1 AND ended_at IS NULL),
e AS (
  INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, started_at, description, billable)
  SELECT workspace_id, $1, $2::bigint, $3::text::timestamptz, $4, true FROM textbook.app_user WHERE id = $1
  RETURNING *)
SELECT json_build_object('data', json_build_object('startTimer', ` + shortEntry + `)) FROM e`,

	"stop": `WITH e AS (
  UPDATE textbook.time_entry SET ended_at = $2::text::timestamptz WHERE user_id = $1 AND ended_at IS NULL
  RETURNING *)
SELECT json_build_object('data', json_build_object('stopTimer', ` + shortEntry + `)) FROM e`,

	"viewer": `SELECT json_build_object('data', json_build_object('viewer', json_build_object('user', json_build_object('id', u.id, 'name', u.name))))
FROM textbook.app_user u WHERE u.id = $1`,

	"running": `SELECT json_build_object('data', json_build_object('runningTimer', (
  SELECT ` + shortEntry + ` FROM textbook.time_entry e WHERE e.user_id = $1 AND e.ended_at IS NULL)))`,

	"names": `SELECT json_build_object('data', json_build_object('projects', (
  SELECT coalesce(json_agg(json_build_object('id', p.id, 'name', p.name) ORDER BY p.name, p.id), '[]')
  FROM (SELECT * FROM textbook.project WHERE workspace_id = ` + workspace + ` ORDER BY name, id LIMIT $2) p)))`,

	"clients": `SELECT json_build_object('data', json_build_object('clients', (
  SELECT coalesce(json_agg(json_build_object('id', c.id, 'name', c.name) ORDER BY c.name, c.id), '[]')
  FROM (SELECT * FROM textbook.client WHERE workspace_id = ` + workspace + ` ORDER BY name, id LIMIT $2) c)))`,

	"tags": `SELECT json_build_object('data', json_build_object('tags', (
  SELECT coalesce(json_agg(json_build_object('id', g.id, 'name', g.name) ORDER BY g.name, g.id), '[]')
  FROM (SELECT * FROM textbook.tag WHERE workspace_id = ` + workspace + ` ORDER BY name, id LIMIT $2) g)))`,

	"month": `SELECT json_build_object('data', json_build_object('monthByProject', (
  SELECT coalesce(json_agg(json_build_object('project', p.name, 'seconds', s.seconds) ORDER BY p.name, p.id), '[]')
  FROM (
    SELECT e.project_id, sum(extract(epoch FROM e.ended_at - e.started_at))::int AS seconds
    FROM textbook.time_entry e
    WHERE e.workspace_id = ` + workspace + ` AND e.started_at >= $2::text::date AND e.started_at < $3::text::date + 1 AND e.ended_at IS NOT NULL
    GROUP BY e.project_id) s
  JOIN textbook.project p ON p.id = s.project_id)))`,

	"year": `SELECT json_build_object('data', json_build_object('yearByWeek', (
  SELECT coalesce(json_agg(json_build_object('project', s.project, 'user', s.person, 'week', s.week, 'seconds', s.seconds)), '[]')
  FROM (
    SELECT p.name AS project, u.name AS person, s.week, s.seconds
    FROM (
    SELECT e.project_id, e.user_id, date_trunc('week', e.started_at)::date::text AS week, sum(extract(epoch FROM e.ended_at - e.started_at))::int AS seconds
    FROM textbook.time_entry e
    WHERE e.workspace_id = ` + workspace + ` AND e.started_at >= $2::text::date AND e.started_at < $3::text::date + 1 AND e.ended_at IS NOT NULL
    GROUP BY 1, 2, 3) s
    JOIN textbook.project p ON p.id = s.project_id
    JOIN textbook.app_user u ON u.id = s.user_id
    ORDER BY 1, 2, 3
    LIMIT $4) s)))`,

	// The same on headroom's table, without its sums.
	"own-month": `SELECT json_build_object('data', json_build_object('monthByProject', (
  SELECT coalesce(json_agg(json_build_object('project', p.name, 'seconds', s.seconds) ORDER BY p.name, p.id), '[]')
  FROM (
    SELECT e.workspace_id, e.project_id, sum(e.secs) AS seconds
    FROM time_entry e
    WHERE e.workspace_id = (SELECT workspace_id FROM membership WHERE user_id = $1)
      AND e.day >= $2::text::date AND e.day <= $3::text::date AND e.deleted_at IS NULL AND e.ended_at IS NOT NULL
    GROUP BY 1, 2) s
  JOIN project p ON p.workspace_id = s.workspace_id AND p.id = s.project_id)))`,

	"own-year": `SELECT json_build_object('data', json_build_object('yearByWeek', (
  SELECT coalesce(json_agg(json_build_object('project', s.project, 'user', s.person, 'week', s.week, 'seconds', s.seconds)), '[]')
  FROM (
    SELECT p.name AS project, m.name AS person, s.week, s.seconds
    FROM (
    SELECT e.workspace_id, e.project_id, e.user_id, date_trunc('week', e.day::timestamp)::date::text AS week, sum(e.secs) AS seconds
    FROM time_entry e
    WHERE e.workspace_id = (SELECT workspace_id FROM membership WHERE user_id = $1)
      AND e.day >= $2::text::date AND e.day <= $3::text::date AND e.deleted_at IS NULL AND e.ended_at IS NOT NULL
    GROUP BY 1, 2, 3, 4) s
    JOIN project p ON p.workspace_id = s.workspace_id AND p.id = s.project_id
    JOIN membership m ON m.workspace_id = s.workspace_id AND m.user_id = s.user_id
    ORDER BY 1, 2, 3
    LIMIT $4) s)))`,
}
