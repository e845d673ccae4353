import { setTimeout as delay } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { Browser } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { PASSWORD, testEnvironment } from '../../support/gateway.js';
import { GatewayProgram } from '../../support/gateway-program.js';
import { startPostgres, type TestPostgres, withClient } from '../../support/postgres.js';

const FIVE_SECONDS = 5000;
const STRANGER = `session=${'A'.repeat(43)}`;

let postgres: TestPostgres;
let dataDir: string;
let gateway: GatewayProgram;
let customer: Browser;
/** Open all the time. */
let live: Socket;
/** The cookie of a session that was signed out before. */
let signedOut: string;

beforeAll(async () => {
  postgres = await startPostgres();
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-outage-'));
  gateway = await GatewayProgram.start({
    // The limit per address is not the subject: each request comes from another one.
    env: { ...testEnvironment(dataDir, postgres.url), LOG_LEVEL: 'fatal', TRUST_PROXY: '127.0.0.1' },
  });
  customer = gateway.browser();
  await customer.register('ada@example.com', PASSWORD);
  signedOut = customer.cookie;
  await customer.logout();
  await customer.login('ada@example.com', PASSWORD);
  await customer.sliceIsReady();
  live = io(gateway.url, {
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { cookie: customer.cookie },
  });
  await new Promise<void>((resolve) => live.once('connect', resolve));
}, 60_000);

afterAll(async () => {
  live.disconnect();
  await gateway.stop();
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Requests without end, and what came of them. */
class Load {
  /** `<who> <path> <status> <code>` → how often. */
  readonly seen = new Map<string, number>();
  private readonly stopping = new AbortController();
  private readonly running: Promise<unknown>[] = [];

  static begin(): Load {
    const load = new Load();
    for (const path of ['/auth/me', '/api/notes']) {
      load.add('customer', path, customer.cookie);
      load.add('customer', path, customer.cookie);
      load.add('signed out', path, signedOut);
      load.add('stranger', path, STRANGER);
    }
    return load;
  }

  async end(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  /** What was answered to one of them: `<status> <code>`, each once. */
  answersTo(who: string): string[] {
    const own = [...this.seen.keys()].filter((key) => key.startsWith(`${who}: `));
    return [...new Set(own.map((key) => key.slice(who.length + 2)))].toSorted();
  }

  private add(who: string, path: string, cookie: string): void {
    this.running.push(this.ask(who, path, cookie));
  }

  private async ask(who: string, path: string, cookie: string): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const answer = await request(path, cookie);
      this.seen.set(`${who}: ${answer}`, (this.seen.get(`${who}: ${answer}`) ?? 0) + 1);
      await delay(5);
    }
  }
}

async function request(path: string, cookie: string): Promise<string> {
  const address = Array.from(crypto.getRandomValues(new Uint8Array(3)), String).join('.');
  const headers = { cookie, 'x-forwarded-for': `10.${address}` };
  const response = await fetch(`${gateway.url}${path}`, { headers }).catch((error: unknown) => error);
  if (!(response instanceof Response)) return `no answer: ${String(response)}`;
  const text = await response.text();
  return response.ok ? `${response.status}` : `${response.status} ${JSON.parse(text).code}`;
}

/** Both, and the app's own database as well. */
async function allIsWell(): Promise<void> {
  if (!gateway.running) throw new Error(`The gateway has ended: ${gateway.output}`);
  expect(await request('/auth/me', customer.cookie)).toBe('200');
  expect(await request('/api/notes', customer.cookie)).toBe('200');
}

describe.each([
  ['is restarted', () => postgres.restart()],
  [
    'is killed',
    async () => {
      postgres.kill();
      await eventually(async () => expect(await request('/auth/me', customer.cookie)).toContain('503'));
      await tellsOfTheOutage();
      await postgres.restart();
    },
  ],
  ['ends all connections', () => endAllConnections()],
])('while PostgreSQL %s under load', (_what, disturb) => {
  it('everybody gets what is theirs or a clear 503, and all is well within 5 s', async () => {
    await allIsWell();
    const load = Load.begin();
    try {
      await eventually(async () => expect(load.seen.size).toBeGreaterThanOrEqual(3));
      await disturb();
      await eventually(allIsWell, FIVE_SECONDS);
    } finally {
      await load.end();
    }
    for (const who of ['customer', 'signed out', 'stranger'])
      expect(load.answersTo(who)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/no answer|500/)]),
      );
    expect(withoutOutage(load.answersTo('customer'))).toEqual(['200']);
    expect(withoutOutage(load.answersTo('signed out'))).toEqual(['401 UNAUTHENTICATED']);
    expect(withoutOutage(load.answersTo('stranger'))).toEqual(['401 UNAUTHENTICATED']);
    expect(gateway.running).toBe(true);
    await stillLive();
  });
});

/** Not ready, but alive: who asks for that alone is answered without the database. */
async function tellsOfTheOutage(): Promise<void> {
  const visitor = gateway.browser();
  await eventually(async () =>
    expect(await visitor.get('/health')).toMatchObject({
      status: 503,
      body: { status: 'down', checks: { database: 'down', runtime: 'up' } },
    }),
  );
  expect(await visitor.get('/healthz')).toMatchObject({ status: 200, body: { ok: true } });
  expect(await visitor.get('/heartbeat')).toMatchObject({
    status: 200,
    body: { status: 'alive', timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
  });
  expect(await visitor.get('/info')).toMatchObject({
    status: 200,
    body: { name: 'sluice', version: expect.any(String), uptimeSeconds: expect.any(Number) },
  });
}

/** The WebSocket of a session that is still one has outlived it all. */
async function stillLive(): Promise<void> {
  const heard = new Promise((resolve) => live.once('note:created', resolve));
  const written = await customer.post('/api/notes', { title: 'afterwards' });
  expect(written.status).toBe(201);
  expect(live.connected).toBe(true);
  expect(await heard).toMatchObject({ title: 'afterwards' });
}

function withoutOutage(answers: string[]): string[] {
  return answers.filter((answer) => answer !== '503 DATABASE_UNAVAILABLE');
}

/** Of the gateway and of the slices, several times over. */
async function endAllConnections(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await withClient(postgres.connection, (client) =>
      client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
      ),
    );
    await request('/api/notes', customer.cookie);
  }
}
