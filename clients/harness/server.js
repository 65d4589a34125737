// A headroom server for one test file: the real program with demo data on a
// PostgreSQL and in folders of its own.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const startTimeout = 60_000; // ms; on a fresh machine PostgreSQL may have to be fetched
const stopTimeout = 30_000; // ms; the server's own drain ends after 20 s

// folder makes a temporary folder that every user may enter: as root the
// server runs PostgreSQL as another one. It is removed when the process ends.
export function folder() {
  const dir = mkdtempSync(join(tmpdir(), 'headroom-clients-'));
  chmodSync(dir, 0o755);
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

let built;

// program is the path of the server: HEADROOM_BIN, or else built here, once.
function program() {
  if (process.env.HEADROOM_BIN) return process.env.HEADROOM_BIN;
  if (!built) {
    built = join(folder(), 'headroom');
    execFileSync('go', ['build', '-o', built, './cmd/headroom'], { cwd: repository, stdio: 'inherit' });
  }
  return built;
}

// serve gives a test file a server with these flags, until its tests have run.
// That it then stops cleanly is tested too.
export async function serve(...flags) {
  const server = await start(...flags);
  after(server.stop);
  return server;
}

// start runs `headroom serve` and returns once it is ready: its addresses, and
// stop, which ends it and fails unless it exits with 0. A test file that is
// ended early takes its servers with it.
async function start(...flags) {
  const child = spawn(
    program(),
    ['serve', '--addr', '127.0.0.1:0', '--admin-addr', '127.0.0.1:0', '--data-dir', join(folder(), 'data'), '--demo-entries', '500', ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'], env: withoutSettings(process.env) },
  );
  const exited = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.prependOnceListener('exit', kill);
  const log = tail(child.stderr);
  const origin = await Promise.race([
    address(child.stdout),
    exited.then(([code, signal]) => Promise.reject(new Error(`the server ended (${code ?? signal}) before it was ready:\n${log()}`))),
    sleep(startTimeout, null, { ref: false }).then(() => Promise.reject(new Error(`the server was not ready in time:\n${log()}`))),
  ]);
  await ready(origin, log);
  return {
    origin,
    graphql: origin + '/graphql',
    sdl: origin + '/schema.graphql',
    async stop() {
      child.kill('SIGTERM');
      const ended = await Promise.race([exited, sleep(stopTimeout, ['still running'], { ref: false })]);
      process.off('exit', kill);
      if (ended[0] !== 0) kill();
      assert.deepEqual(ended, [0, null], `a server that is told to stop exits with 0; its log ends:\n${log()}`);
    },
  };
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

// withoutSettings keeps the caller's own server settings out of the test.
function withoutSettings(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => name !== 'DATABASE_URL' && (!name.startsWith('HEADROOM_') || name === 'HEADROOM_PG_BIN')),
  );
}

// tail keeps the last lines of a stream.
function tail(stream) {
  const lines = [];
  createInterface({ input: stream }).on('line', (line) => {
    lines.push(line);
    if (lines.length > 20) lines.shift();
  });
  return () => lines.join('\n');
}

// address reads where the server says that it listens.
function address(stdout) {
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const found = /(http:\/\/127\.0\.0\.1:\d+)\/graphql/.exec(line);
      if (found) resolve(found[1]);
    });
  });
}

async function ready(origin, log) {
  const deadline = Date.now() + startTimeout;
  for (;;) {
    const answer = await fetch(origin + '/readyz').catch(() => null);
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new Error(`/readyz did not say ok in time:\n${log()}`);
    await sleep(50);
  }
}
