import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from './support/app.ts';
import { peakMemory } from './support/memory.ts';
import { startPostgres, type TestPostgres } from './support/postgres.ts';
import { until } from './support/until.ts';

const MIB = 1_048_576;
const agent = new Agent({ keepAlive: true });
/** Apps that a test starts beside the common one. */
const others: TestApp[] = [];
let postgres: TestPostgres;
let app: TestApp;

beforeAll(async () => {
  postgres = await startPostgres();
  app = await startApp({ DATABASE_URL: postgres.url });
});

afterEach(async () => {
  await Promise.all(others.splice(0).map(async (other) => await other.remove()));
});

afterAll(async () => {
  agent.destroy();
  await app.remove();
  await postgres.remove();
});

async function put(name: string, body: BodyInit): Promise<Response> {
  return await fetch(`${app.url}/api/files/${encodeURIComponent(name)}`, { method: 'PUT', body });
}

async function get(name: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${app.url}/api/files/${encodeURIComponent(name)}`, { headers });
}

/** A request whose path goes out exactly as written, which `fetch` would tidy up. */
function raw(method: string, path: string, headers: Record<string, string> = {}): ClientRequest {
  const { hostname, port } = new URL(app.url);
  return request({ hostname, port, method, path, headers, agent });
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = await once(sent, 'response');
  return response;
}

/** Pieces of 64 KiB, none like another, and the hash of what has been taken. */
function* pieces(bytes: number, hash = createHash('sha256')): Generator<Buffer> {
  const piece = randomBytes(65_536);
  for (let sent = 0; sent < bytes; sent += piece.length) {
    piece.writeUInt32LE(sent, 0);
    hash.update(piece);
    yield Buffer.from(piece);
  }
}

describe('files', () => {
  it('are stored, listed, read and deleted', async () => {
    const name = '100% März #1.txt';
    const created = await put(name, 'hello');
    expect(created.status).toBe(201);
    expect(await created.json()).toEqual({ name, size: 5, modifiedAt: expect.any(String) });
    expect((await put(name, 'hello!')).status).toBe(200);
    expect(await (await fetch(`${app.url}/api/files`)).json()).toContainEqual(
      expect.objectContaining({ name, size: 6 }),
    );
    const read = await get(name);
    expect(Object.fromEntries(read.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '6',
      'accept-ranges': 'bytes',
      etag: expect.any(String),
    });
    expect(await read.text()).toBe('hello!');
    const path = `/api/files/${encodeURIComponent(name)}`;
    expect((await app.call('DELETE', path)).status).toBe(204);
    expect(await app.call('DELETE', path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await app.call('GET', path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('may be empty', async () => {
    expect((await put('empty', '')).status).toBe(201);
    expect(await (await get('empty')).text()).toBe('');
  });

  it('are read in part, and only when they changed', async () => {
    await put('digits', '0123456789');
    const part = await get('digits', { Range: 'bytes=2-4' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    const beyond = await get('digits', { Range: 'bytes=10-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    expect(beyond.headers.get('content-disposition')).toBeNull();
    expect(await beyond.json()).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });
    // `fetch` would ask for a fresh copy whatever the header says.
    const again = raw('GET', '/api/files/digits', { 'If-None-Match': part.headers.get('etag') ?? '' });
    expect((await answerOf(again.end())).statusCode).toBe(304);
  });

  it('are downloads, so that an uploaded page does not run in the origin of the app', async () => {
    await put('evil.html', '<script>alert(1)</script>');
    expect(Object.fromEntries((await get('evil.html')).headers)).toMatchObject({
      'content-disposition': 'attachment; filename=evil.html',
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
    });
  });

  it('come back as they went, however large, in little memory', async () => {
    const hash = createHash('sha256');
    const upload = raw('PUT', '/api/files/large');
    for (const piece of pieces(128 * MIB, hash)) if (!upload.write(piece)) await once(upload, 'drain');
    upload.end();
    expect(JSON.parse(await text(await answerOf(upload)))).toMatchObject({ size: 128 * MIB });
    const back = createHash('sha256');
    for await (const piece of (await get('large')).body ?? []) back.update(piece);
    expect(back.digest('hex')).toBe(hash.digest('hex'));
    expect(await peakMemory(app.pid)).toBeLessThan(200 * MIB);
  });
});

describe('a name that leads elsewhere', () => {
  it.each([
    '..%2Fescaped',
    '%2e%2e%2fescaped',
    '..%5Cescaped',
    '%2Ftmp%2Fescaped',
    '.hidden',
    '%00',
    'a%0Ab',
  ])('is refused for writing, reading and deleting: %s', async (name) => {
    for (const method of ['PUT', 'GET', 'DELETE']) {
      const response = await answerOf(
        raw(method, `/api/files/${name}`).end(method === 'PUT' ? 'x' : undefined),
      );
      expect(response.statusCode).toBe(400);
      expect(JSON.parse(await text(response))).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: [{ path: 'name' }],
      });
    }
    expect(await readdir(app.dataDir)).toEqual(['files', 'uploads']);
  });

  it.each(['/api/files/../escaped', '/api/files/a/../../escaped', '/api/files//etc/passwd'])(
    'is not there: %s',
    async (path) => {
      expect((await answerOf(raw('PUT', path).end('x'))).statusCode).toBe(404);
    },
  );

  it('is answered before the upload ends, and the connection lives on', async () => {
    const upload = raw('PUT', '/api/files/..%2Fx', { 'Content-Length': String(4 * MIB) });
    upload.write(Buffer.alloc(MIB));
    expect((await answerOf(upload)).statusCode).toBe(400);
    upload.end(Buffer.alloc(3 * MIB));
    await once(upload, 'finish');
  });
});

describe('an upload that fails', () => {
  it('leaves nothing when its sender goes away, and the old file as it was', async () => {
    await put('kept', 'old');
    const upload = raw('PUT', '/api/files/kept', { 'Content-Length': '1000000' });
    upload.on('error', () => undefined);
    upload.write(Buffer.alloc(100_000));
    await until(async () => (await readdir(join(app.dataDir, 'uploads'))).length === 1);
    upload.destroy();
    await until(async () => (await readdir(join(app.dataDir, 'uploads'))).length === 0);
    expect(await (await get('kept')).text()).toBe('old');
    expect(app.lines.filter((line) => line.event === 'request.failed')).toEqual([]);
  });

  it('is told when the disk is full, and leaves nothing', async () => {
    const small = await startApp({ DATABASE_URL: postgres.url }, { fileSizeLimit: '2048' });
    others.push(small);
    const body = Buffer.alloc(8 * MIB);
    const response = await fetch(`${small.url}/api/files/big`, { method: 'PUT', body });
    expect(response.status).toBe(507);
    expect(await response.json()).toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
    expect(await readdir(join(small.dataDir, 'uploads'))).toEqual([]);
    expect(await small.call('GET', '/api/files')).toMatchObject({ body: [] });
  });

  it('is cleared away at the next start when the process was killed', async () => {
    const first = await startApp({ DATABASE_URL: postgres.url });
    others.push(first);
    await first.stop('SIGKILL');
    await writeFile(join(first.dataDir, 'uploads', 'half'), 'half');
    const second = await startApp({ DATABASE_URL: postgres.url, DATA_DIR: first.dataDir });
    others.push(second);
    expect(await readdir(join(first.dataDir, 'uploads'))).toEqual([]);
  });
});
