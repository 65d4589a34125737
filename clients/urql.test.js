// urql, with its retry exchange.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { retryExchange } from '@urql/exchange-retry';
import { counting, token } from './harness/http.js';
import { serve } from './harness/server.js';
import { page, suite, tinyBudget } from './harness/suite.js';

const server = await serve();
const tiny = await serve(...tinyBudget);

const retryAfter = (error) => error.graphQLErrors[0]?.extensions.retryAfterMs;

// The exchange waits for at least one and a half times the delay that its
// operation carries, so what the server asks for goes there.
const obeyRetryAfter = retryExchange({
  maxNumberAttempts: 5,
  maxDelayMs: 60_000,
  retryIf: (error) => Boolean(retryAfter(error)),
  retryWith: (error, operation) => ({
    ...operation,
    context: { ...operation.context, retry: { count: 0, ...operation.context.retry, delay: retryAfter(error) } },
  }),
});

function connect(url, { retry = false, exchanges = [] }) {
  const { fetch, requests } = counting();
  const client = new Client({
    url,
    fetch,
    preferGetMethod: false,
    requestPolicy: 'network-only',
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [...(retry ? [obeyRetryAfter] : []), ...exchanges, fetchExchange],
  });
  return {
    requests,
    close() {},
    async run(document, variables = {}) {
      const kind = document.definitions.some((d) => d.operation === 'mutation') ? 'mutation' : 'query';
      const { data, error } = await client[kind](document, variables).toPromise();
      if (error?.networkError) throw error;
      return { data, errors: error?.graphQLErrors ?? [] };
    },
  };
}

suite('urql', server, tiny, connect);

test('a persisted query is sent in full once, and by its hash from then on', async () => {
  for (const requests of [2, 1]) {
    const client = connect(server.graphql, { exchanges: [persistedExchange({ preferGetForPersistedQueries: false })] });
    const { data, errors } = await client.run(page, { first: 1 });
    assert.deepEqual(errors, []);
    assert.equal(data.timeEntries.nodes.length, 1);
    assert.equal(client.requests.length, requests);
  }
});
