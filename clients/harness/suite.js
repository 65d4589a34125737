// What every client has to be able to do. The documents are those of an app;
// what a client answers is brought into one shape by its test file.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { parse } from 'graphql';

const viewer = parse(`query Viewer {
  viewer { user { id name } role workspace { id name timeZone } budget { maximumAvailable currentlyAvailable restoreRate } }
}`);

const myDay = parse(`query MyDay {
  myDay {
    day
    entries { id startedAt seconds description project { name client { name } } task { name } }
    totals { seconds entryCount }
    running { id startedAt }
  }
}`);

// A page of a hundred is priced at about ten points, one of twenty at about two.
export const page = parse(`query Page($first: Int!, $after: String) {
  timeEntries(first: $first, after: $after) {
    nodes { id day seconds project { name } user { name } tags { name } }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}`);

const createTag = parse(`mutation CreateTag($input: CreateTagInput!) {
  createTag(input: $input) { tag { id name } userErrors { code field } }
}`);

const tagsNamed = parse(`query TagsNamed($text: String!) { tags(filter: { text: $text }, first: 10) { nodes { id } } }`);

const tooMuch = parse(`query TooMuch {
  projects(first: 100) { nodes { id tasks(first: 100) { nodes { id } } members(first: 100) { nodes { id } } } }
}`);

const unsliced = parse(`query Unsliced { projects { nodes { id } } }`);

// The flags of a server whose budget is empty after a few small pages, and then
// takes about two seconds to hold a large one again.
export const tinyBudget = ['--budget-user', '12/5'];

// drain empties a client's budget and returns the refusal.
export async function drain(client) {
  for (let i = 0; i < 500; i++) {
    const answer = await client.run(page, { first: 20 });
    if (answer.errors.length > 0) return answer;
  }
  assert.fail('500 requests did not use up a budget of 12 points');
}

// suite registers the tests of one client. connect(url, {retry}) returns
// {run(document, variables), requests, close()}; run resolves to {data,
// errors}, each error with its extensions, and with retry obeys retryAfterMs.
export function suite(name, server, tiny, connect) {
  const within = async (url, options, use) => {
    const client = connect(url, options);
    try {
      return await use(client);
    } finally {
      client.close();
    }
  };
  const asked = (document, variables) => within(server.graphql, {}, (client) => client.run(document, variables));
  const data = async (document, variables) => {
    const answer = await asked(document, variables);
    assert.deepEqual(answer.errors, []);
    return answer.data;
  };

  describe(name, () => {
    test('viewer: who am I, what may I do, points left', async () => {
      const { viewer: v } = await data(viewer);
      assert.equal(v.role, 'OWNER');
      assert.equal(v.budget.maximumAvailable, 2000);
      assert.equal(v.budget.restoreRate, 100);
      assert.ok(v.user.id && v.user.name && v.workspace.timeZone);
    });

    test('myDay: what an app shows at start', async () => {
      const { myDay: day } = await data(myDay);
      assert.match(day.day, /^\d{4}-\d{2}-\d{2}$/);
      assert.equal(day.totals.entryCount, day.entries.length);
      assert.equal(day.totals.seconds, day.entries.reduce((sum, e) => sum + e.seconds, 0));
    });

    test('paging: every entry once', () => within(server.graphql, {}, async (client) => {
      const seen = new Set();
      let read = 0, total, after = null;
      do {
        const answer = await client.run(page, { first: 100, after });
        assert.deepEqual(answer.errors, []);
        const { nodes, pageInfo, totalCount } = answer.data.timeEntries;
        nodes.forEach((n) => seen.add(n.id));
        read += nodes.length;
        total = totalCount;
        after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      } while (after && read < 10_000);
      assert.ok(total > 100, `${total} entries are no more than a page`);
      assert.equal(read, total, 'entries read');
      assert.equal(seen.size, total, 'different entries read');
    }));

    test('mutation: sent twice with one idempotencyKey, done once', async () => {
      const tag = `${name} ${randomUUID()}`;
      const input = { name: tag, idempotencyKey: randomUUID() };
      const first = await data(createTag, { input });
      const second = await data(createTag, { input });
      assert.deepEqual(first.createTag.userErrors, []);
      assert.deepEqual(second, first);
      const { tags } = await data(tagsNamed, { text: tag });
      assert.deepEqual(tags.nodes.map((t) => t.id), [first.createTag.tag.id]);
      const other = await data(createTag, { input: { ...input, name: tag + '!' } });
      assert.deepEqual(other.createTag.userErrors.map((e) => e.code), ['IDEMPOTENCY_MISMATCH']);
    });

    test('refusal: a query that is too dear says what would be accepted', async () => {
      const { data: none, errors: [{ extensions }] } = await asked(tooMuch);
      assert.equal(none, undefined);
      assert.equal(extensions.code, 'COST_ESTIMATED_TOO_EXPENSIVE');
      assert.ok(extensions.estimated > extensions.max, `${extensions.estimated} > ${extensions.max}`);
      const reduce = extensions.suggestions.find((s) => s.kind === 'REDUCE_ARGUMENT' && s.path === 'projects');
      assert.ok(reduce.maxAccepted > 0 && reduce.maxAccepted < 100, JSON.stringify(extensions.suggestions));
    });

    test('refusal: a list without a size names its arguments', async () => {
      const { errors: [{ extensions }] } = await asked(unsliced);
      assert.equal(extensions.code, 'COST_INVALID_SLICING_ARGUMENTS');
      assert.equal(extensions.path, 'projects');
      assert.deepEqual(extensions.arguments, ['first', 'last']);
    });

    test('refusal: an empty budget says when to come back, and the retry succeeds', () => within(tiny.graphql, { retry: true }, async (client) => {
      const plain = connect(tiny.graphql, {});
      const { errors: [{ extensions }] } = await drain(plain);
      plain.close();
      assert.equal(extensions.code, 'THROTTLED');
      assert.ok(extensions.cost > 0 && extensions.retryAfterMs > 0, JSON.stringify(extensions));
      const answer = await client.run(page, { first: 100 });
      assert.deepEqual(answer.errors, []);
      assert.equal(answer.data.timeEntries.nodes.length, 100);
      assert.equal(client.requests.length, 2, 'one refused, and one that had waited for as long as it was told');
    }));
  });
}
