// What both servers by the book share: the schema, and the statements that
// their documentation would lead one to.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { GraphQLScalarType } from 'graphql'

export const typeDefs = readFileSync(new URL('../textbook.graphql', import.meta.url), 'utf8')

export const Time = new GraphQLScalarType({
  name: 'Time',
  serialize: value => value.toISOString(),
  parseValue: value => new Date(value)
})

export const db = new pg.Pool({ connectionString: process.env.DATABASE, max: 10 })

export const rows = async (text, values) => (await db.query({ name: text.slice(0, 60) + text.length, text, values })).rows

const entry = `id, description, started_at AS "startedAt", ended_at AS "endedAt", extract(epoch FROM ended_at - started_at)::int AS seconds, billable, user_id, project_id, task_id`
const workspace = `(SELECT workspace_id FROM textbook.app_user WHERE id = $1)`

// byId returns what is found of ids, in their order.
const byId = (text, missing = null) => async ids => {
  const found = new Map((await rows(text, [ids])).map(row => [row.id, row]))
  return ids.map(id => found.get(id) ?? missing)
}

export const usersById = byId('SELECT id, name FROM textbook.app_user WHERE id = ANY ($1)')
export const projectsById = byId('SELECT id, name, client_id FROM textbook.project WHERE id = ANY ($1)')
export const clientsById = byId('SELECT id, name FROM textbook.client WHERE id = ANY ($1)')
export const tasksById = byId('SELECT id, name FROM textbook.task WHERE id = ANY ($1)')

export const totalsById = async ids => {
  const found = await byId('SELECT project_id AS id, seconds::int FROM textbook.project_total WHERE project_id = ANY ($1)')(ids)
  return found.map(row => row?.seconds ?? 0)
}

export const tagsOfEntries = async ids => {
  const found = new Map(ids.map(id => [id, []]))
  const all = await rows('SELECT et.entry_id, t.id, t.name FROM textbook.entry_tag et JOIN textbook.tag t ON t.id = et.tag_id WHERE et.entry_id = ANY ($1) ORDER BY t.id', [ids])
  for (const row of all) found.get(row.entry_id).push(row)
  return ids.map(id => found.get(id))
}

export const Query = {
  viewer: () => ({}),
  myDay: (_, { date }) => ({ date }),
  projects: (_, { first }, { user }) => rows(`SELECT id, name, client_id FROM textbook.project WHERE workspace_id = ${workspace} ORDER BY name, id LIMIT $2`, [user, first]),
  timeEntries: (_, { first }, { user }) => rows(`SELECT ${entry} FROM textbook.time_entry WHERE workspace_id = ${workspace} ORDER BY started_at DESC, id DESC LIMIT $2`, [user, first]),
  runningTimer: async (_, __, { user }) => (await rows(`SELECT ${entry} FROM textbook.time_entry WHERE user_id = $1 AND ended_at IS NULL`, [user]))[0] ?? null,
  clients: (_, { first }, { user }) => rows(`SELECT id, name FROM textbook.client WHERE workspace_id = ${workspace} ORDER BY name, id LIMIT $2`, [user, first]),
  tags: (_, { first }, { user }) => rows(`SELECT id, name FROM textbook.tag WHERE workspace_id = ${workspace} ORDER BY name, id LIMIT $2`, [user, first]),
  monthByProject: (_, { from, to }, { user }) => rows(`SELECT p.name AS project, sum(extract(epoch FROM e.ended_at - e.started_at))::int AS seconds
FROM textbook.time_entry e JOIN textbook.project p ON p.id = e.project_id
WHERE e.workspace_id = ${workspace} AND e.started_at >= $2::date AND e.started_at < $3::date + 1 AND e.ended_at IS NOT NULL
GROUP BY p.id ORDER BY p.name, p.id`, [user, from, to]),
  yearByWeek: (_, { from, to, first }, { user }) => rows(`SELECT p.name AS project, u.name AS user, date_trunc('week', e.started_at)::date::text AS week, sum(extract(epoch FROM e.ended_at - e.started_at))::int AS seconds
FROM textbook.time_entry e JOIN textbook.project p ON p.id = e.project_id JOIN textbook.app_user u ON u.id = e.user_id
WHERE e.workspace_id = ${workspace} AND e.started_at >= $2::date AND e.started_at < $3::date + 1 AND e.ended_at IS NOT NULL
GROUP BY p.id, u.id, 3 ORDER BY 1, 2, 3 LIMIT $4`, [user, from, to, first])
}

export const Day = {
  entries: ({ date }, _, { user }) => rows(`SELECT ${entry} FROM textbook.time_entry WHERE user_id = $1 AND started_at >= $2::date AND started_at < $2::date + 1 AND ended_at IS NOT NULL ORDER BY started_at, id`, [user, date])
}

const stop = async (user, at) => (await rows(`UPDATE textbook.time_entry SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL RETURNING ${entry}`, [user, at]))[0] ?? null

export const Mutation = {
  createTimeEntry: async (_, { input }, { user }) => (await rows(`INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, task_id, started_at, ended_at, description, billable)
SELECT workspace_id, $1, $2, $3, $4, $5, $6, true FROM textbook.app_user WHERE id = $1 RETURNING ${entry}`, [user, input.projectId, input.taskId, input.startedAt, input.endedAt, input.description]))[0],
  startTimer: async (_, { input }, { user }) => {
    await stop(user, input.startedAt)
    return (await rows(`INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, started_at, description, billable)
SELECT workspace_id, $1, $2, $3, $4, true FROM textbook.app_user WHERE id = $1 RETURNING ${entry}`, [user, input.projectId, input.startedAt, input.description]))[0]
  },
  stopTimer: (_, { endedAt }, { user }) => stop(user, endedAt)
}
