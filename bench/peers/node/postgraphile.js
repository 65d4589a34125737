// A server by PostGraphile's book: the schema follows from the tables.
import { createServer } from 'node:http'
import { postgraphile } from 'postgraphile'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'

const pgl = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE, schemas: ['textbook'], poolConfig: { max: 10 } })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { context: ({ node }) => ({ pgSettings: { 'app.user_id': node?.req.headers['x-user'] } }) },
  schema: { defaultBehavior: 'list connection' }
})
const server = createServer()
await pgl.createServ(grafserv).addTo(server)
server.listen(Number(process.env.PORT), process.env.HOST)
