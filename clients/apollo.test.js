// Apollo Client, with its RetryLink.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, ServerError } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { RetryLink } from '@apollo/client/link/retry';
import { map } from 'rxjs';
import { counting, token } from './harness/http.js';
import { serve } from './harness/server.js';
import { drain, page, suite, tinyBudget } from './harness/suite.js';

const server = await serve();
const tiny = await serve(...tinyBudget);

// Apollo hands a refusal to the app as an answer with errors. RetryLink acts on
// thrown errors only, so one that may be repeated is thrown to it.
const throwRetryable = new ApolloLink((operation, forward) => forward(operation).pipe(map((result) => {
  if (result.errors?.[0].extensions?.retryAfterMs) throw new CombinedGraphQLErrors(result);
  return result;
})));

const obeyRetryAfter = new RetryLink({
  delay: (_, __, error) => error.errors[0].extensions.retryAfterMs,
  attempts: (count, _, error) => count < 5 && CombinedGraphQLErrors.is(error),
});

function connect(url, { retry = false, links, accept }) {
  const { fetch, requests } = counting();
  const http = new HttpLink({ uri: url, fetch, headers: { authorization: `Bearer ${token}`, ...(accept && { accept }) } });
  const client = new ApolloClient({
    link: ApolloLink.from([...(links ?? (retry ? [obeyRetryAfter, throwRetryable] : [])), http]),
    cache: new InMemoryCache(),
    clientAwareness: { name: 'acceptance', version: '1.0' },
  });
  const send = (document, variables) => document.definitions.some((d) => d.operation === 'mutation')
    ? client.mutate({ mutation: document, variables })
    : client.query({ query: document, variables, fetchPolicy: 'network-only' });
  return {
    requests,
    close: () => client.stop(),
    send,
    async run(document, variables) {
      try {
        const { data } = await send(document, variables);
        return { data, errors: [] };
      } catch (error) {
        if (!CombinedGraphQLErrors.is(error)) throw error;
        return { data: error.data ?? undefined, errors: error.errors };
      }
    },
  };
}

suite('Apollo Client', server, tiny, connect);

test('a RetryLink as it comes does not repeat a refusal', async () => {
  const client = connect(tiny.graphql, { links: [new RetryLink()] });
  const { errors: [{ extensions }] } = await drain(client);
  assert.equal(extensions.code, 'THROTTLED');
  const before = client.requests.length;
  const refused = await client.run(page, { first: 100 });
  assert.equal(refused.errors[0].extensions.code, 'THROTTLED');
  assert.equal(client.requests.length, before + 1);
  client.close();
});

test('under application/json a RetryLink reads Retry-After from the response', async () => {
  const plain = connect(tiny.graphql, {});
  await drain(plain);
  plain.close();
  const seen = [];
  const links = [new RetryLink({
    delay: (_, __, error) => Number(error.response.headers.get('retry-after')) * 1000,
    attempts: (count, _, error) => {
      seen.push({ status: error.statusCode, code: JSON.parse(error.bodyText).errors[0].extensions.code });
      return count < 5 && ServerError.is(error) && error.response.headers.has('retry-after');
    },
  })];
  const client = connect(tiny.graphql, { links, accept: 'application/json' });
  const { data } = await client.send(page, { first: 100 });
  assert.equal(data.timeEntries.nodes.length, 100);
  assert.deepEqual(seen, [{ status: 429, code: 'THROTTLED' }]);
  client.close();
});

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

test('a persisted query is sent in full once, and by its hash from then on', async () => {
  for (const useGETForHashedQueries of [false, true]) {
    const persisted = () => connect(server.graphql, { links: [new PersistedQueryLink({ sha256, useGETForHashedQueries })] });
    const first = persisted();
    const { data } = await first.send(page, { first: 1 });
    assert.equal(data.timeEntries.nodes.length, 1);
    assert.equal(first.requests.length, useGETForHashedQueries ? 1 : 2, 'its hash alone and, where that is new, its text');
    first.close();
    const second = persisted();
    await second.send(page, { first: 2 });
    assert.equal(second.requests.length, 1, 'its hash alone');
    second.close();
  }
});

test('where persisted queries are off the client stops sending hashes', async () => {
  const off = await serve('--documents', 'off');
  const client = connect(off.graphql, { links: [new PersistedQueryLink({ sha256 })] });
  await client.send(page, { first: 1 });
  await client.send(page, { first: 2 });
  assert.equal(client.requests.length, 3, 'a hash alone, then texts');
  client.close();
});
