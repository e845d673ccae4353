import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SecretBox } from '#common';
import { ConfigError } from '#config';
import type { Browser } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway, testEnvironment } from '../../support/gateway.js';
import { createTestDatabase, type TestDatabase, withClient } from '../../support/postgres.js';
import { soak } from '../../support/soak.js';

const LOADER = pathToFileURL('test/support/typescript-loader.ts').href;
const TOOL = join(process.cwd(), 'tools/secrets-rotate.ts');

const BEFORE = { SECRET_KEY: 'the secret key of before, long enough' };
const AFTER = { SECRET_KEY: 'the secret key from now on, long enough' };
const ROTATING = { ...AFTER, SECRET_KEY_PREVIOUS: BEFORE.SECRET_KEY };

const API_KEYS = soak(20_000, 2000);

let database: TestDatabase;
let dataDir: string;
beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-rotation-'));
});
afterAll(async () => {
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const start = (env: NodeJS.ProcessEnv) => Gateway.start({ database, dataDir, env });

/** `npm run secrets:rotate`, without the build. */
function rotate(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--import', LOADER, TOOL], {
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...testEnvironment(dataDir, database.url), ...env },
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  }
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({
    code,
    signal,
    output: output.join(''),
  }));
  return { child, ended };
}

async function countOf(sql: string, ...values: unknown[]): Promise<number> {
  return withClient(database.connection, async (client) => {
    const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count ${sql}`, values);
    return rows[0]?.count ?? 0;
  });
}

function countSealedWith(key: string): Promise<number> {
  const prefix = new SecretBox(key).currentPrefix;
  return countOf('FROM api_key WHERE substring(key_sealed FROM 1 FOR 5) = $1', prefix);
}

/** How many installations the key fits. */
async function fitting(key: string): Promise<number> {
  const id = await withClient(database.connection, async (client) => {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM installation');
    return rows[0]?.id ?? '';
  });
  return countOf('FROM installation WHERE secret_check = $1', new SecretBox(key).mac('installation', id));
}

/** So many that a rotation takes a while. */
async function addApiKeys(): Promise<void> {
  const box = new SecretBox(BEFORE.SECRET_KEY);
  const rows = Array.from({ length: API_KEYS }, () => {
    const [id, key] = [randomUUID(), `slu_${randomUUID()}`];
    return { id, sealed: box.seal(key, `api-key:${id}`), mac: box.mac('api-key', key) };
  });
  await withClient(database.connection, (client) =>
    client.query(
      `INSERT INTO api_key (id, name, worker_type, key_sealed, key_mac, created_at)
       SELECT id, 'worker', 'ping', sealed, mac, now() FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS k(id, sealed, mac)`,
      [rows.map(({ id }) => id), rows.map(({ sealed }) => sealed), rows.map(({ mac }) => mac)],
    ),
  );
}

describe('a rotation of SECRET_KEY', () => {
  let customer: Browser;

  /** The customer's browser, at a gateway that was started since. */
  const returningTo = (gateway: Gateway): Browser => {
    const browser = gateway.browser();
    browser.cookie = customer.cookie;
    return browser;
  };

  it('begins with slices, variables and keys that are sealed with the key of before', async () => {
    await using gateway = await start(BEFORE);
    customer = await gateway.customer();
    expect((await customer.post('/api/notes', { title: 'from before' })).status).toBe(201);
    const { status } = await gateway
      .operator()
      .provision({ name: 'with-variables', env: { COLOUR: 'blue' } });
    expect(status).toBe(201);
    await addApiKeys();
  }, 60_000);

  it('can be killed in the middle, and a gateway with both keys serves what it left', async () => {
    const { child, ended } = rotate(ROTATING);
    await eventually(async () => expect(await countSealedWith(AFTER.SECRET_KEY)).toBeGreaterThan(0), 30_000);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    const done = await countSealedWith(AFTER.SECRET_KEY);
    expect(done).toBeLessThan(API_KEYS);
    expect(await countSealedWith(BEFORE.SECRET_KEY)).toBe(API_KEYS - done);

    await using gateway = await start(ROTATING);
    const browser = returningTo(gateway);
    await browser.sliceIsReady();
    expect((await gateway.operator().get('/api/apikeys/list')).body).toHaveLength(API_KEYS);
  }, 90_000);

  it('comes to its end when it is run again, and says when the key of before may go', async () => {
    const { code, output } = await rotate(ROTATING).ended;
    expect(output).toContain('SECRET_KEY_PREVIOUS may be removed');
    expect(code).toBe(0);
    for (const secret of [BEFORE.SECRET_KEY, AFTER.SECRET_KEY]) expect(output).not.toContain(secret);
    expect(await countSealedWith(AFTER.SECRET_KEY)).toBe(API_KEYS);
  }, 90_000);

  it('leaves a gateway that needs the new key alone, for each slice with its own password', async () => {
    await using gateway = await start(AFTER);
    const browser = returningTo(gateway);
    await browser.sliceIsReady();
    expect((await browser.get('/api/notes')).body).toMatchObject([{ title: 'from before' }]);
    await eventually(async () => {
      const { body } = await gateway.operator().get('/orchestrator/slices');
      expect(body).toMatchObject([{ status: 'active' }, { status: 'active' }]);
    }, 20_000);
  }, 60_000);

  it('makes the new key the one that fits this installation', async () => {
    expect([await fitting(AFTER.SECRET_KEY), await fitting(BEFORE.SECRET_KEY)]).toEqual([1, 0]);
  });

  it('is not at its end while neither key opens something', async () => {
    await withClient(database.connection, (client) =>
      client.query(
        'UPDATE api_key SET key_sealed = $1 WHERE id = (SELECT id FROM api_key ORDER BY id LIMIT 1)',
        [new SecretBox('a secret key of nobody').seal('slu_', 'api-key:')],
      ),
    );
    const { code, output } = await rotate(ROTATING).ended;
    expect(code).toBe(1);
    expect(output).toContain('api_key.key_sealed: 0 sealed anew, 1 that neither key opens');
    expect(output).toContain('keep SECRET_KEY_PREVIOUS');
  }, 60_000);

  it('refuses keys of which neither fits this installation, and touches nothing', async () => {
    const { code, output } = await rotate({
      SECRET_KEY: 'a secret key after those two, long enough',
      SECRET_KEY_PREVIOUS: BEFORE.SECRET_KEY,
    }).ended;
    expect(code).toBe(ConfigError.EXIT_CODE);
    expect(output).toContain('neither it nor SECRET_KEY_PREVIOUS is the key of this installation');
    expect(await fitting(AFTER.SECRET_KEY)).toBe(1);
  }, 60_000);
});
