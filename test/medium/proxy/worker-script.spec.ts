import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually } from '../../support/eventually.js';
import { portOf } from '../../support/stub-upstream.js';

const KEY = 'slu_of-the-worker';

/** What the worker called, and with what. */
interface Call {
  readonly request: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

describe('the worker of docs/workers.md', () => {
  const calls: Call[] = [];
  let refusals: number;
  let server: Server;
  let dir: string;
  let script: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-worker-'));
    script = join(dir, 'worker.mjs');
    const [, shown = ''] =
      /```js\n(\/\/ worker\.mjs\n.*?)```/s.exec(await readFile('docs/workers.md', 'utf8')) ?? [];
    await writeFile(script, shown);
    server = createServer((req, res) => void answer(req, res));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { authorization } = req.headers;
    calls.push({ request: `${req.method} ${req.url}`, authorization, body: await text(req) });
    if (authorization !== undefined && authorization !== `Bearer ${KEY}`) {
      res.writeHead(401).end('unknown key');
    } else if (refusals > 0) {
      refusals -= 1;
      res.writeHead(503, { 'retry-after': '1' }).end();
    } else res.end(req.method === 'GET' ? '127.0.0.1\n' : '{"status":"ok"}');
  }

  /** Runs it until the server has heard a result, or it has ended by itself. */
  async function work(env: NodeJS.ProcessEnv, firstRefused = 0): Promise<{ ended: unknown; errors: string }> {
    calls.length = 0;
    refusals = firstRefused;
    const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const errors = text(child.stderr);
    const ended = once(child, 'exit');
    await eventually(async () => {
      if (child.exitCode === null) expect(calls.map(({ body }) => body).join('')).toContain('ping');
    });
    child.kill('SIGTERM');
    return { ended: (await ended)[0], errors: await errors };
  }

  const url = () => `http://127.0.0.1:${portOf(server)}`;

  it('fetches a target and hands in a result through the gateway, with its key', async () => {
    const { ended } = await work({ MANAGER_URL: url(), WORKER_API_KEY: KEY, GATEWAY_MODE: 'true' });
    expect(ended).toBe(0);
    expect(calls.slice(0, 2)).toMatchObject([
      { request: 'GET /api/gateway/target', authorization: `Bearer ${KEY}` },
      { request: 'POST /api/gateway/result', authorization: `Bearer ${KEY}` },
    ]);
    expect(JSON.parse(calls[1]?.body ?? '')).toMatchObject({
      target: '127.0.0.1',
      ping: { sent: 4, received: 4 },
    });
  });

  it('asks the servers themselves without GATEWAY_MODE, and sends no key there', async () => {
    await work({ INPUT_URL: url(), OUTPUT_URL: `${url()}/out`, WORKER_API_KEY: KEY });
    expect(calls.slice(0, 2)).toMatchObject([
      { request: 'GET /target', authorization: undefined },
      { request: 'POST /out/result', authorization: undefined },
    ]);
  });

  it('comes back when it was told to, and ends when its key is refused', async () => {
    const env = { MANAGER_URL: url(), GATEWAY_MODE: 'true' };
    await work({ ...env, WORKER_API_KEY: KEY }, 1);
    expect(calls.slice(0, 3).map(({ request }) => request)).toEqual([
      'GET /api/gateway/target',
      'GET /api/gateway/target',
      'POST /api/gateway/result',
    ]);
    const { ended, errors } = await work({ ...env, WORKER_API_KEY: 'slu_revoked' });
    expect(ended).toBe(1);
    expect(errors).toContain('unknown key');
  });
});
