// The tools that read the schema: introspection as graphql-js, GraphiQL and
// codegen ask for it, relay-compiler and graphql-codegen on the served SDL.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildClientSchema, buildSchema, getIntrospectionQuery, isSpecifiedScalarType, lexicographicSortSchema, printType } from 'graphql';
import { post, token } from './harness/http.js';
import { folder, serve } from './harness/server.js';

const server = await serve();
const here = fileURLToPath(new URL('.', import.meta.url));
const accept = 'application/graphql-response+json';

const sdl = await (await fetch(server.sdl)).text();

// workshop is a temporary folder with a copy of one of ours, the served schema
// and the installed packages.
function workshop(name) {
  const dir = folder();
  cpSync(join(here, name), join(dir, name), { recursive: true });
  symlinkSync(join(here, 'node_modules'), join(dir, 'node_modules'));
  writeFileSync(join(dir, 'schema.graphql'), sdl);
  return dir;
}

// tool runs an installed program; when it fails, what it printed is the reason.
async function tool(name, args, cwd) {
  const options = { cwd, timeout: 120_000, env: { ...process.env, NO_COLOR: '1' } };
  await promisify(execFile)(join(here, 'node_modules', '.bin', name), args, options).catch((error) => {
    assert.fail(`${name} ${args.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  });
}

describe('introspection', () => {
  const everything = {
    descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true,
    inputValueDeprecation: true, oneOf: true,
  };
  for (const [name, options] of Object.entries({
    'as it is': {},
    'with all options': everything,
    'as GraphiQL asks': { schemaDescription: true, inputValueDeprecation: true },
    'without descriptions': { descriptions: false },
  })) {
    test(`the standard query ${name} passes the limits`, async () => {
      const answer = await post(server.graphql, { query: getIntrospectionQuery(options), operationName: 'IntrospectionQuery' }, { accept });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.errors, undefined);
      buildClientSchema(answer.body.data);
    });
  }

  test('tells the same types and directives as the SDL', async () => {
    const { body } = await post(server.graphql, { query: getIntrospectionQuery(everything) }, { accept });
    const told = buildClientSchema(body.data), served = buildSchema(sdl);
    assert.deepEqual(printed(told), printed(served));
    assert.deepEqual(directives(told), directives(served));
  });

  test('needs no token in the demo', async () => {
    const { status } = await post(server.graphql, { query: getIntrospectionQuery() }, { accept, authorization: null });
    assert.equal(status, 200);
  });
});

// printed is every type's text by its name. Types are not compared as one text,
// so that a difference shows the type.
function printed(schema) {
  const types = Object.values(lexicographicSortSchema(schema).getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type));
  return Object.fromEntries(types.map((type) => [type.name, printType(type)]));
}

function directives(schema) {
  return schema.getDirectives().map((directive) => String(directive)).sort();
}

describe('relay-compiler', () => {
  test('compiles connections and fragments, and the server runs what it printed', async () => {
    const dir = workshop('relay');
    writeFileSync(join(dir, 'documents.json'), '{}');
    writeFileSync(join(dir, 'relay.config.json'), JSON.stringify({
      src: './relay', schema: './schema.graphql', language: 'javascript', persistConfig: { file: './documents.json' },
    }));
    await tool('relay-compiler', ['relay.config.json'], dir);
    assert.deepEqual(readdirSync(join(dir, 'relay', '__generated__')).sort(), [
      'appEntriesPage.graphql.js', 'appQuery.graphql.js', 'appTasksPage.graphql.js',
      'app_entries.graphql.js', 'app_person.graphql.js', 'app_project.graphql.js',
    ]);
    const texts = Object.values(JSON.parse(readFileSync(join(dir, 'documents.json'), 'utf8')));
    const run = async (name, variables) => {
      const answer = await post(server.graphql, { query: texts.find((t) => t.startsWith(`query ${name}(`)), variables }, { accept });
      assert.equal(answer.body.errors, undefined);
      return answer.body.data;
    };
    const first = await run('appQuery', { count: 20 });
    const ids = (data) => data.timeEntries.edges.map((e) => e.node.id);
    const second = await run('appEntriesPage', { count: 20, cursor: first.timeEntries.pageInfo.endCursor });
    assert.equal(new Set([...ids(first), ...ids(second)]).size, 40, 'the second page continues the first');
    const { project } = first.timeEntries.edges.find((e) => e.node.project).node;
    const { node } = await run('appTasksPage', { id: project.id, count: 3 });
    assert.deepEqual(node.tasks, project.tasks, 'a project by its id is the project of the entry');
  });
});

describe('graphql-codegen', () => {
  let dir;
  before(async () => {
    dir = workshop('codegen');
    const config = { scalars: { Date: 'string', DateTime: 'string', Seconds: 'number', Long: 'number', UUID: 'string', TimeZone: 'string', CurrencyCode: 'string' } };
    const live = { [server.graphql]: { headers: { authorization: `Bearer ${token}` } } };
    writeFileSync(join(dir, 'codegen.json'), JSON.stringify({
      documents: 'codegen/operations.graphql',
      generates: {
        'codegen/generated/': { schema: 'schema.graphql', preset: 'client', config },
        'introspected/': { schema: [live], preset: 'client', config },
      },
    }));
    await tool('graphql-codegen', ['--config', 'codegen.json'], dir);
  });

  test('writes types that fit the app', () => tool('tsc', [
    '--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', 'codegen/app.ts',
  ], dir));

  test('writes the same from the SDL as by introspection', () => {
    const read = (out) => readFileSync(join(dir, out, 'graphql.ts'), 'utf8');
    assert.equal(read('introspected'), read('codegen/generated'));
  });
});
