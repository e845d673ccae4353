import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../../../test/support/eventually.js';
import { quietLogger } from '../../../../test/support/quiet-logger.js';
import { TestClock } from '../../../../test/support/test-clock.js';
import { BackendProber, ProbeOptions } from './backend-prober.js';
import { Backend } from './backend.js';
import { Backends } from './backends.js';

/** Longer than any answer on loopback takes, on a busy machine too. */
const PATIENCE_MS = 10_000;
/** Short enough to wait for, where nothing is to come. */
const TIMEOUT_MS = 300;

/** undici would close an idle connection after four by itself. */
const ONE_SECOND = 1000;

let clock: TestClock;
let backends: Backends;
let prober: BackendProber;
let servers: Server[];

const lines: unknown[] = [];
const record = (line: unknown) => lines.push(line);
beforeAll(() => Logger.overrideLogger({ ...quietLogger, log: record, warn: record }));
afterAll(() => Logger.overrideLogger(true));

beforeEach(() => {
  lines.length = 0;
  clock = new TestClock();
  servers = [];
  useProber();
});
afterEach(async () => {
  await prober.onModuleDestroy();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

function useProber(options: Partial<ProbeOptions> = {}): void {
  backends = new Backends(clock);
  prober = new BackendProber(backends, new ProbeOptions({ timeoutMs: PATIENCE_MS, ...options }));
}

/** A server, and the requests it got. */
async function serve(listener: RequestListener): Promise<{ url: string; server: Server; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    listener(req, res);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked };
}

/** Probes a server once. */
async function probe(url: string, healthPath = '/health'): Promise<Backend> {
  const backend = new Backend(url, healthPath, clock);
  await prober.probe(backend);
  return backend;
}

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_req, res) =>
    res.writeHead(status, headers).end();

describe('a probe', () => {
  it.each([
    [200, 'up'],
    [204, 'up'],
    [302, 'up'],
    [399, 'up'],
    [400, 'down'],
    [404, 'down'],
    [500, 'down'],
    [503, 'down'],
  ] as const)('takes %i for %s', async (status, verdict) => {
    const { url, asked } = await serve(answering(status, { location: '/elsewhere' }));
    expect((await probe(url)).state.status).toBe(verdict);
    expect(asked).toEqual(['HEAD /health']);
  });

  it.each([405, 501])('asks by GET where HEAD is answered %i', async (status) => {
    const { url, asked } = await serve((req, res) => {
      if (req.method === 'HEAD') res.writeHead(status).end();
      else res.end('fine');
    });
    expect((await probe(url)).state).toMatchObject({ status: 'up', latencyMs: expect.any(Number) });
    expect(asked).toEqual(['HEAD /health', 'GET /health']);
  });

  it('goes below the path of the URL, and to the URL itself where there is no health path', async () => {
    const { url, asked } = await serve(answering(200));
    await probe(`${url}/base`);
    await probe(`${url}/base`, '');
    await probe(url, '');
    expect(asked).toEqual(['HEAD /base/health', 'HEAD /base', 'HEAD /']);
  });

  it('finds a server down that does not answer in time, or is not there, or speaks no HTTP', async () => {
    useProber({ timeoutMs: TIMEOUT_MS });
    const hung = await serve(() => undefined);
    const begin = performance.now();
    expect((await probe(hung.url)).state).toMatchObject({ status: 'down', latencyMs: null });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);

    hung.server.closeAllConnections();
    hung.server.close();
    await once(hung.server, 'close');
    expect((await probe(hung.url)).state.status).toBe('down');

    const rude = await serve((_req, res) => res.socket?.end('nonsense\r\n\r\n'));
    expect((await probe(rude.url)).state.status).toBe('down');
  });

  it('finds a server up whose answer never ends', async () => {
    const { url } = await serve((req, res) => {
      if (req.method === 'HEAD') res.writeHead(405).end();
      else res.writeHead(200).write('and so on');
    });
    expect((await probe(url)).state.status).toBe('up');
  });

  it('keeps no connection open', async () => {
    const { url, server } = await serve(answering(200));
    await probe(url);
    await eventually(async () => {
      const count = await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)));
      expect(count).toBe(0);
    }, ONE_SECOND);
  });

  it('is logged when it finds a change', async () => {
    let status = 200;
    const { url } = await serve((_req, res) => res.writeHead(status).end());
    const backend = await probe(url);
    expect(lines).toEqual([]);
    status = 503;
    await prober.probe(backend);
    await prober.probe(backend);
    status = 200;
    await prober.probe(backend);
    expect(lines).toEqual([`Health check: ${url} is down: HTTP 503`, `Health check: ${url} is up again`]);
  });

  it('of a path that was changed meanwhile says nothing', async () => {
    const answers: Array<() => void> = [];
    const { url, asked } = await serve((_req, res) => answers.push(() => res.writeHead(500).end()));
    const backend = new Backend(url, '/old', clock);
    const probing = prober.probe(backend);
    await eventually(async () => expect(asked).toHaveLength(1));
    backend.healthPath = '/new';
    answers.forEach((answer) => answer());
    await probing;
    expect(backend.state.status).toBe('unknown');
  });
});

const watch = (urls: readonly string[]) => backends.replace(new Map(urls.map((url) => [url, '/health'])));

describe('a pass over all backends', () => {
  it('brings all of them up to date', async () => {
    const [good, bad] = [await serve(answering(200)), await serve(answering(500))];
    watch([good.url, bad.url]);
    await prober.probeAll();
    expect(backends.all.map(({ state }) => state.status)).toEqual(['up', 'down']);
  });

  it('is joined by a second one that begins meanwhile', async () => {
    const { url, asked } = await serve(answering(200));
    watch([url]);
    await Promise.all([prober.probeAll(), prober.probeAll()]);
    expect(asked).toHaveLength(1);
    await prober.probeAll();
    expect(asked).toHaveLength(2);
  });

  it('asks no more of them at once than it may', async () => {
    await prober.onModuleDestroy();
    useProber({ parallelism: 2 });
    const waiting: ServerResponse[] = [];
    let hold = true;
    const { url, asked } = await serve((req, res) => {
      if (hold && req.method === 'HEAD') waiting.push(res);
      else res.end();
    });
    watch(Array.from({ length: 20 }, (_, i) => `${url}/${i}`));
    const pass = prober.probeAll();
    await eventually(async () => expect(waiting).toHaveLength(2));
    // By the time this one is back, a third would have come as well.
    await fetch(url);
    expect(waiting).toHaveLength(2);
    hold = false;
    waiting.forEach((res) => res.end());
    await pass;
    expect(asked).toHaveLength(21);
    expect(backends.all.every(({ state }) => state.status === 'up')).toBe(true);
  });

  it('that is ended early finds nobody down', async () => {
    const { url, asked } = await serve(() => undefined);
    watch([url]);
    const end = new AbortController();
    const pass = prober.probeAll(end.signal);
    await eventually(async () => expect(asked).toHaveLength(1));
    end.abort();
    await pass;
    expect(backends.all.map(({ state }) => state.status)).toEqual(['unknown']);
  });

  it('is over when the gateway stops, and none begins after that', async () => {
    const { url, asked, server } = await serve(() => undefined);
    watch([url]);
    const pass = prober.probeAll();
    await eventually(async () => expect(asked).toHaveLength(1));
    await prober.onModuleDestroy();
    await pass;
    await prober.probeAll();
    expect(asked).toHaveLength(1);
    expect(backends.all.map(({ state }) => state.status)).toEqual(['unknown']);
    await eventually(async () => {
      const count = await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)));
      expect(count).toBe(0);
    });
  });
});
