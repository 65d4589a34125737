// A GraphQL client on fetch, for browsers and Node 18 or later. It comes back
// when the server says so, and repeats a mutation whose outcome is unknown only
// where that is harmless.

// Codes that ask to come back. All carry retryAfterMs in their extensions.
const comeBack = new Set(['THROTTLED', 'OVERLOADED', 'UNAVAILABLE']);

// A deadline that passed: the same request may do better in a quieter moment.
const deadline = 'DEADLINE_EXCEEDED';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// harmless tells whether sending a mutation twice has one effect: every input
// carries a key, or an id that the client has minted.
function harmless(variables) {
  const inputs = Object.values(variables).filter((v) => v && typeof v === 'object');
  return inputs.length > 0 && inputs.every((input) => input.idempotencyKey || input.id);
}

// delay is when to send the request again, in milliseconds; null is never.
function delay(error, query, variables, attempt) {
  const { code, outcome, retryAfterMs } = error.extensions ?? {};
  const mutation = /^\s*(#[^\n]*\n\s*)*mutation\b/.test(query);
  if (outcome === 'unknown' && mutation && !harmless(variables)) return null;
  if (comeBack.has(code)) return retryAfterMs; // exact, or random already: add no jitter
  if (code === deadline) return 1000 * 2 ** attempt * (1 + Math.random());
  return null;
}

export class HeadroomError extends Error {
  constructor(status, errors) {
    super(errors[0].message);
    this.status = status;
    this.code = errors[0].extensions?.code;
    this.errors = errors;
  }
}

// client returns a function that runs an operation and returns its data.
// patience is how long it may wait in all, in milliseconds.
export function client({ url, token, patience = 60_000, name = 'fetch-example' }) {
  return async function run(query, variables = {}, signal) {
    const giveUp = Date.now() + patience;
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(url, {
        method: 'POST',
        signal, // leaving stops the work on the server too
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          Accept: 'application/graphql-response+json, application/json;q=0.9',
          'apollographql-client-name': name,
        },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = await response.json(); // every answer has a JSON body
      if (!errors) return data;
      const wait = delay(errors[0], query, variables, attempt);
      if (wait === null || Date.now() + wait > giveUp) throw new HeadroomError(response.status, errors);
      await sleep(wait);
    }
  };
}

// As a program: node fetch.mjs FILE.graphql [VARIABLES.json]
if (globalThis.process?.argv[1]?.endsWith('fetch.mjs')) {
  const { readFile } = await import('node:fs/promises');
  const [file, values] = process.argv.slice(2);
  const run = client({
    url: process.env.HEADROOM_URL ?? 'http://127.0.0.1:8080/graphql',
    token: process.env.HEADROOM_TOKEN,
  });
  try {
    const data = await run(await readFile(file, 'utf8'), values ? JSON.parse(await readFile(values, 'utf8')) : {});
    console.log(JSON.stringify(data, null, 2));
  } catch (error) {
    console.error(`${error.code ?? 'failed'}: ${error.message}`);
    process.exitCode = 1;
  }
}
