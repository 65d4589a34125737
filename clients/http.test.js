// What goes over the wire: the Accept headers of real clients, answered as plain
// JSON with their true status, and graphql-http's audits of the specification.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { serverAudits } from 'graphql-http';
import { counting, post, token } from './harness/http.js';
import { serve } from './harness/server.js';
import { tinyBudget } from './harness/suite.js';

const server = await serve();
const tiny = await serve(...tinyBudget);

// What a client sends is read off the client itself.
async function sentBy(ask) {
  const { fetch, requests } = counting();
  await ask(fetch);
  return requests[0].headers.get('accept');
}

const headers = { authorization: `Bearer ${token}` };

const clients = {
  'Apollo Client': () => sentBy((fetch) => new ApolloClient({ link: new HttpLink({ uri: server.graphql, fetch, headers }), cache: new InMemoryCache() })
    .query({ query: gql('{ viewer { role } }') })),
  urql: () => sentBy((fetch) => new Client({ url: server.graphql, fetch, fetchOptions: { headers }, exchanges: [fetchExchange], preferGetMethod: false })
    .query('{ viewer { role } }', {}).toPromise()),
  // Swift does not run here; this is what Apollo iOS sends with every query and mutation.
  'Apollo iOS': () => 'multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json',
};

const cases = [
  { name: 'a query', status: 200, query: '{ viewer { role } }' },
  { name: 'a mutation that breaks a rule', status: 200, query: 'mutation { createTag(input: { name: "" }) { userErrors { code } } }' },
  { name: 'a syntax error', status: 400, code: 'GRAPHQL_PARSE_FAILED', query: '{ viewer' },
  { name: 'an unknown field', status: 400, code: 'GRAPHQL_VALIDATION_FAILED', query: '{ viewer { shoeSize } }' },
  { name: 'a variable of the wrong type', status: 400, code: 'BAD_USER_INPUT', query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id: [1] } },
  { name: 'a list without a size', status: 400, code: 'COST_INVALID_SLICING_ARGUMENTS', query: '{ tags { nodes { id } } }' },
  { name: 'a price that is too high', status: 400, code: 'COST_ESTIMATED_TOO_EXPENSIVE', query: '{ projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } members(first: 100) { nodes { id } } } } }' },
  { name: 'no token', status: 401, code: 'UNAUTHENTICATED', query: '{ viewer { role } }', headers: { authorization: null } },
  { name: 'a forged token', status: 401, code: 'UNAUTHENTICATED', query: '{ viewer { role } }', headers: { authorization: 'Bearer hr_forged_token' } },
];

function checkPlain(answer, status, code) {
  assert.equal(answer.status, status);
  assert.equal(answer.type, 'application/graphql-response+json; charset=utf-8');
  assert.equal(answer.body.errors?.[0].extensions.code, code);
  assert.equal('data' in answer.body, status === 200, 'data is there when something was run, and absent otherwise');
}

for (const [name, accept] of Object.entries(clients)) {
  describe(`the Accept header of ${name}`, () => {
    for (const c of cases) {
      test(`${c.name}: ${c.status}`, async () => {
        const answer = await post(server.graphql, { query: c.query, variables: c.variables }, { accept: await accept(), ...c.headers });
        checkPlain(answer, c.status, c.code);
      });
    }

    test('an empty budget: 429', async () => {
      const named = { accept: await accept() };
      let answer;
      for (let i = 0; i < 500 && answer?.status !== 429; i++) {
        answer = await post(tiny.graphql, { query: '{ timeEntries(first: 20) { nodes { id } totalCount } }' }, named);
      }
      checkPlain(answer, 429, 'THROTTLED');
      const wait = answer.body.errors[0].extensions.retryAfterMs;
      assert.ok(wait > 0, `retryAfterMs ${wait}`);
      assert.equal(Number(answer.headers.get('retry-after')), Math.ceil(wait / 1000));
    });
  });
}

describe('graphql-http', () => {
  const authorized = (url, options = {}) => {
    const headers = new Headers(options.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(url, { ...options, headers });
  };
  const audits = serverAudits({ url: server.graphql, fetchFn: authorized });

  test('has 61 audits', () => assert.equal(audits.length, 61));

  for (const audit of audits) {
    test(`${audit.id} ${audit.name}`, async () => {
      const { status, reason } = await audit.fn();
      assert.equal(status, 'ok', reason);
    });
  }
});
