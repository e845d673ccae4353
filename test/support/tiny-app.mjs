/**
 * A tenant app that does what a test tells it to. It has no dependency, so that an image of it is Node and this file.
 * IGNORE_SIGTERM=1 in its environment makes it stay until it is killed, UNHEALTHY=1 makes it answer that it is not well,
 * CRASH makes it end at once. `/fall-ill` lets it be unwell until it is restarted, or told to be well.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';

/** What was allocated stays so: else it is gone before anybody looks. */
const held = [];

// What a tenant app prints is its log.
/* eslint-disable no-console */

const { PORT = '3000', HOST = '0.0.0.0', DATA_DIR = '.', IGNORE_SIGTERM, CRASH, UNHEALTHY } = process.env;
const inData = (name) => join(DATA_DIR, name);

/** What stands at host:port, seen from here: `{reached}`, and the fault's code when it is not. */
function reach(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('error', (error) => end({ reached: false, code: error.code }));
    socket.on('timeout', () => end({ reached: false, code: 'TIMEOUT' }));
    // A userland proxy accepts before it knows: reached is only what answers.
    socket.on('connect', () => socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    socket.on('data', () => end({ reached: true }));
    socket.on('close', () => end({ reached: false, code: 'CLOSED' }));
  });
}

let ill = UNHEALTHY === '1';

const routes = {
  '/health': () => {
    if (ill) throw new Error('not well');
    return { ok: true, pid: process.pid };
  },
  '/fall-ill': ({ well }) => ({ ill: (ill = well === undefined) }),
  '/env': () => process.env,
  '/pid': () => ({ pid: process.pid }),
  '/user': () => ({ uid: process.getuid(), gid: process.getgid() }),
  '/interfaces': () => networkInterfaces(),
  '/reach': ({ host, port }) => reach(host, Number(port)),
  '/lookup': async ({ host }) => ({ addresses: await lookup(host, { all: true }).catch(() => []) }),
  '/fetch': async ({ url }) => (await fetch(url)).json(),
  '/read-file': async ({ path }) => ({ text: await readFile(path, 'utf8').catch((error) => error.code) }),
  '/write': async ({ name, text }) => ({ ok: (await writeFile(inData(name), text)) === undefined }),
  '/read': async ({ name }) => ({ text: await readFile(inData(name), 'utf8').catch(() => null) }),
  '/write-root': async () => ({
    code: await writeFile('/app/new', '').then(
      () => 'ok',
      (error) => error.code,
    ),
  }),
  '/log': ({ line }) => ({ ok: console.log(line) === undefined }),
  '/allocate': ({ bytes }) => ({ held: held.push(Buffer.alloc(Number(bytes), 1)) }),
  // A child in the same process group, which outlives its parent.
  '/fork': () => ({
    pid: spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' }).pid,
  }),
  '/exit': ({ code }) => setImmediate(() => process.exit(Number(code))) && {},
};

if (IGNORE_SIGTERM === '1') process.on('SIGTERM', () => console.log('SIGTERM ignored'));
if (CRASH !== undefined) {
  console.error(`crashing: ${CRASH}`);
  process.exit(3);
}

async function serve(req, res) {
  const url = new URL(req.url, 'http://app');
  try {
    const body = await routes[url.pathname](Object.fromEntries(url.searchParams));
    res.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    res.end(JSON.stringify(body));
  } catch (error) {
    res.writeHead(500, { connection: 'close' });
    res.end(String(error));
  }
}

createServer((req, res) => void serve(req, res)).listen(Number(PORT), HOST, () =>
  console.log(`listening on ${HOST}:${PORT}`),
);
