// A server by Apollo's book, with DataLoader.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import DataLoader from 'dataloader'
import * as data from './data.js'

const follow = (loader, key) => (object, _, context) => object[key] == null ? null : context[loader].load(object[key])

const server = new ApolloServer({
  typeDefs: data.typeDefs,
  resolvers: {
    Time: data.Time,
    Query: data.Query,
    Mutation: data.Mutation,
    Day: data.Day,
    Viewer: { user: (_, __, { users, user }) => users.load(user) },
    Project: {
      client: follow('clients', 'client_id'),
      trackedSeconds: (project, _, { totals }) => totals.load(project.id)
    },
    TimeEntry: {
      user: follow('users', 'user_id'),
      project: follow('projects', 'project_id'),
      task: follow('tasks', 'task_id'),
      tags: (entry, _, { tags }) => tags.load(entry.id)
    }
  }
})

await startStandaloneServer(server, {
  listen: { host: process.env.HOST, port: Number(process.env.PORT) },
  context: async ({ req }) => ({
    user: req.headers['x-user'],
    users: new DataLoader(data.usersById),
    projects: new DataLoader(data.projectsById),
    clients: new DataLoader(data.clientsById),
    tasks: new DataLoader(data.tasksById),
    totals: new DataLoader(data.totalsById),
    tags: new DataLoader(data.tagsOfEntries)
  })
})
