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

// statements are the operations by their path.
var statements = map[string]string{
	"my-day": `SELECT json_build_object('data', json_build_object(
  'viewer', (SELECT json_build_object('user', json_build_object('id', u.id, 'name', u.name)) FROM textbook.app_user u WHERE u.id = $1),
  'myDay', json_build_object('entries', (
    SELECT coalesce(json_agg(` + entryObject + ` ORDER BY e.started_at, e.id), '[]')
    FROM textbook.time_entry e` + entryJoins + `
    WHERE e.user_id = $1 AND e.started_at >= ($2::text::date)::timestamptz AND e.started_at < ($2::text::date + 1)::timestamptz AND e.ended_at IS NOT NULL))))`,
}
