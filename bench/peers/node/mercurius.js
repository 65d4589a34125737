// A server by Mercurius' book: its own loaders, and documents compiled at their
// first run.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import * as data from './data.js'

// follow asks for each key once, and for none where there is none.
const follow = (load, key) => async queries => {
  const keys = queries.map(({ obj }) => obj[key])
  const wanted = [...new Set(keys.filter(k => k != null))]
  const found = wanted.length ? await load(wanted) : []
  const byKey = new Map(wanted.map((k, i) => [k, found[i]]))
  return keys.map(k => byKey.get(k) ?? null)
}

const app = Fastify()
app.register(mercurius, {
  schema: data.typeDefs,
  resolvers: {
    Time: data.Time,
    Query: data.Query,
    Mutation: data.Mutation,
    Day: data.Day,
    Viewer: { user: async (_, __, { user }) => (await data.usersById([user]))[0] }
  },
  loaders: {
    Project: { client: follow(data.clientsById, 'client_id'), trackedSeconds: follow(data.totalsById, 'id') },
    TimeEntry: {
      user: follow(data.usersById, 'user_id'),
      project: follow(data.projectsById, 'project_id'),
      task: follow(data.tasksById, 'task_id'),
      tags: follow(data.tagsOfEntries, 'id')
    }
  },
  context: request => ({ user: request.headers['x-user'] }),
  jit: 1
})
await app.listen({ host: process.env.HOST, port: Number(process.env.PORT) })
