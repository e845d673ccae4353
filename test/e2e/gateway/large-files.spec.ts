import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testEnvironment, PASSWORD } from '../../support/gateway.js';
import { GatewayProgram } from '../../support/gateway-program.js';
import type { Browser } from '../../support/clients.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.js';
import { soak } from '../../support/soak.js';

const MIB = 1024 ** 2;
const SIZE = soak(1024 * MIB, 96 * MIB);
const CHUNK = MIB;
const ALLOWED_GROWTH = 64 * MIB;

let database: TestDatabase;
let dataDir: string;
let gateway: GatewayProgram;
let customer: Browser;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  gateway = await GatewayProgram.start({ env: testEnvironment(dataDir, database.url) });
  customer = gateway.browser();
  await customer.register('ada@example.com', PASSWORD);
  await customer.sliceIsReady();
}, 60_000);

afterAll(async () => {
  await gateway.stop();
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Bytes of which no two megabytes are the same, and their digest once they are read. */
class Content {
  private readonly hash = createHash('sha256');

  constructor(private readonly size: number) {}

  get sha256(): string {
    return this.hash.digest('hex');
  }

  *[Symbol.iterator](): Generator<Buffer> {
    for (let at = 0; at < this.size; at += CHUNK) {
      const chunk = Buffer.alloc(CHUNK, `at ${at};`);
      this.hash.update(chunk);
      yield chunk;
    }
  }
}

async function upload(name: string, size: number): Promise<string> {
  const content = new Content(size);
  const response = await fetch(`${gateway.url}/api/files/${name}`, {
    method: 'PUT',
    headers: { cookie: customer.cookie, 'content-type': 'application/octet-stream' },
    body: Readable.toWeb(Readable.from(content)),
    duplex: 'half',
  });
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ name, size });
  return content.sha256;
}

/** The answer, of which nothing has been read yet. */
async function beginDownload(name: string): Promise<Response> {
  const response = await fetch(`${gateway.url}/api/files/${name}`, { headers: { cookie: customer.cookie } });
  expect(response.status).toBe(200);
  return response;
}

async function digestOf({ body }: Response): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body ?? []) hash.update(chunk);
  return hash.digest('hex');
}

describe('a large file', () => {
  it(`of ${SIZE / MIB} MiB arrives whole, both ways, and the gateway holds no more of it than it must`, async () => {
    // What a transfer leaves for the next garbage collection is there before and after.
    await upload('first', 64 * MIB);
    await digestOf(await beginDownload('first'));
    const before = await gateway.residentBytes();
    let peak = before;
    const sampling = setInterval(() => {
      void gateway.residentBytes().then((now) => (peak = Math.max(peak, now)));
    }, 50);
    const sent = await upload('large', SIZE);
    const answer = await beginDownload('large');
    // Meanwhile nobody reads: what the app sends has to wait there, and not in the gateway.
    await upload('meanwhile', SIZE);
    const received = await digestOf(answer);
    clearInterval(sampling);
    expect(received).toBe(sent);
    expect(peak - before).toBeLessThanOrEqual(ALLOWED_GROWTH);
  }, 300_000);
});
