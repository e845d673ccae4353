import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type FileSettings, SettingsInForce } from '#config';
import { ASSIGNED_SLICES } from '../../support/assigned-slices.js';
import type { Answer, OperatorClient } from '../../support/clients.js';
import { Gateway } from '../../support/gateway.js';

/** Nothing listens there: what is done in these tests does not hang on it. */
const URL = 'http://127.0.0.1:9';

let gateway: Gateway;
let operator: OperatorClient;
let atStart: FileSettings;

beforeAll(async () => {
  gateway = await Gateway.start(ASSIGNED_SLICES);
  operator = gateway.operator();
  atStart = gateway.get(SettingsInForce).current;
});
afterAll(() => gateway[Symbol.asyncDispose]());
afterEach(async () => {
  configure(atStart);
  for (const { name } of (await operator.get('/admin/pools')).body) await remove(`/admin/pools/${name}`);
});

/** As if config.yml said so. */
function configure(change: Partial<FileSettings>): void {
  const settings = gateway.get(SettingsInForce);
  settings.replace({ ...settings.current, ...change });
}

const add = (pool: string, url: string) => operator.post(`/admin/pools/${pool}/backends`, { url });
const remove = (path: string, body?: unknown) => operator.send('DELETE', path, { body });
const names = async () => (await operator.get('/admin/pools')).body.map(({ name }: { name: string }) => name);
const urls = ({ body }: Answer) => body.map(({ url }: { url: string }) => url);
const urlsIn = async (pool: string) => urls(await operator.get(`/admin/pools/${pool}/backends`));

describe('POST /admin/pools', () => {
  it('makes a pool, once', async () => {
    const made = await operator.post('/admin/pools', { name: 'jobs' });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'jobs', source: 'admin', health: '/health', healthy: 0, backends: [] },
    });
    for (const again of [{ name: 'jobs' }, { name: 'jobs', health: '/health' }]) {
      expect(await operator.post('/admin/pools', again)).toMatchObject({ status: 200, body: made.body });
    }
    expect(await names()).toEqual(['input', 'jobs', 'output']);
  });

  it('does not change the health path of one that is there', async () => {
    await operator.post('/admin/pools', { name: 'jobs', health: '/up?deep=1' });
    const other = await operator.post('/admin/pools', { name: 'jobs', health: '/other' });
    expect(other).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect(other.body.message).toContain('/up?deep=1');
  });

  it('gives the standing pools a health path, once', async () => {
    await add('input', URL);
    const first = await operator.post('/admin/pools', { name: 'input', health: '/up' });
    expect(first).toMatchObject({ body: { name: 'input', health: '/up', backends: [{ url: URL }] } });
    expect((await operator.post('/admin/pools', { name: 'input', health: '/x' })).body.code).toBe('CONFLICT');
  });

  it('makes one of the same name once when it is asked twice at the same time', async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => operator.post('/admin/pools', { name: 'jobs' })),
    );
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '200', '200', '201']);
  });

  it.each(['', 'a b', '-a', '../a', 'é', 'x'.repeat(65), 'a/b'])('takes no name such as %j', async (name) => {
    const { status, body } = await operator.post('/admin/pools', { name });
    expect({ status, details: body.details }).toMatchObject({ status: 400, details: [{ path: 'name' }] });
  });

  it.each(['health', 'http://elsewhere/', '/a b', '/a#b', '/a\r\nx', '/é', '/a\\b'])(
    'takes no health path such as %j',
    async (health) => {
      const { status, body } = await operator.post('/admin/pools', { name: 'jobs', health });
      expect({ status, details: body.details }).toMatchObject({ status: 400, details: [{ path: 'health' }] });
    },
  );
});

describe('DELETE /admin/pools/:pool', () => {
  it('removes a pool with its backends', async () => {
    await operator.post('/admin/pools', { name: 'jobs' });
    await add('jobs', URL);
    expect((await remove('/admin/pools/jobs')).status).toBe(204);
    expect(await names()).toEqual(['input', 'output']);
    expect(Object.keys((await operator.get('/admin/health')).body)).not.toContain(URL);
    expect((await operator.get('/admin/pools/jobs/backends')).body.code).toBe('POOL_NOT_FOUND');
    expect(await remove('/admin/pools/jobs')).toMatchObject({
      status: 404,
      body: { code: 'POOL_NOT_FOUND' },
    });
  });

  it('leaves the standing pools, empty', async () => {
    await add('input', URL);
    expect((await remove('/admin/pools/input')).status).toBe(204);
    expect(await urlsIn('input')).toEqual([]);
    expect((await remove('/admin/pools/input')).status).toBe(204);
  });
});

describe('POST /admin/pools/:pool/backends', () => {
  it.each(['input', 'output'])('adds to %s, which nobody made', async (pool) => {
    const added = await add(pool, URL);
    expect(added).toMatchObject({
      status: 201,
      body: {
        id: expect.any(String),
        url: URL,
        source: 'admin',
        state: { notifiedDown: false },
      },
    });
    const again = await add(pool, `${URL}/`);
    expect(again).toMatchObject({ status: 200, body: { id: added.body.id } });
    expect(await urlsIn(pool)).toEqual([URL]);
  });

  it('adds one once when it is asked twice at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => add('input', URL)));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '200', '200', '201']);
    expect(await urlsIn('input')).toEqual([URL]);
  });

  it('keeps the order in which they were added', async () => {
    const all = [`${URL}/c`, `${URL}/a`, `${URL}/b`];
    for (const url of all) await add('input', url);
    expect(await urlsIn('input')).toEqual(all);
  });

  it('needs the pool', async () => {
    expect(await add('nowhere', URL)).toMatchObject({ status: 404, body: { code: 'POOL_NOT_FOUND' } });
    expect(await names()).toEqual(['input', 'output']);
  });

  it.each([
    '',
    'nothing',
    'ftp://10.0.0.5/',
    'http:10.0.0.5',
    'http:///10.0.0.5',
    'http://user@10.0.0.5',
    'http://user:secret@10.0.0.5',
    'http://10.0.0.5/?a=1',
    'http://10.0.0.5/?',
    'http://10.0.0.5/#a',
    'http://10.0.0.5:99999',
    'http://10.0.0.5\\@evil/',
    'http://10.0.0.5/\r\nx',
    'http://a b/',
    'http://10.0.0.5:0',
    'http://bücher.example',
    'http://10.0.0.5/ü',
    'http://%31%30.0.0.5',
    `http://${'a'.repeat(2000)}`,
    // Longer than that once it is written as a URL.
    `http://10.0.0.5/${'{'.repeat(1000)}`,
  ])('takes no URL such as %j', async (url) => {
    const { status, body } = await add('input', url);
    expect({ status, details: body.details }).toMatchObject({ status: 400, details: [{ path: 'url' }] });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(await urlsIn('input')).toEqual([]);
  });

  it.each(['127.0.0.1', 'localhost', '127.1', '[::1]', '0.0.0.0'])(
    'takes no URL of the gateway itself, as %s',
    async (host) => {
      const { port } = new globalThis.URL(gateway.url);
      const { status, body } = await add('input', `http://${host}:${port}/api`);
      expect({ status, details: body.details }).toMatchObject({ status: 400, details: [{ path: 'url' }] });
      expect((await add('input', `http://${host}:9`)).status).toBe(201);
    },
  );
});

describe('DELETE /admin/pools/:pool/backends', () => {
  it.each([
    ['the URL in the body', () => remove('/admin/pools/input/backends', { url: `${URL}/` })],
    ['the URL in the query', () => remove(`/admin/pools/input/backends?url=${encodeURIComponent(URL)}`)],
    ['the same URL in both', () => remove(`/admin/pools/input/backends?url=${URL}`, { url: URL })],
  ])('removes it by %s', async (_how, attempt) => {
    await add('input', URL);
    await add('input', `${URL}/other`);
    expect((await attempt()).status).toBe(204);
    expect(await urlsIn('input')).toEqual([`${URL}/other`]);
    expect(await attempt()).toMatchObject({ status: 404, body: { code: 'BACKEND_NOT_FOUND' } });
  });

  it('removes it by its id, from this pool only', async () => {
    const { id } = (await add('input', URL)).body;
    expect((await remove(`/admin/pools/output/backends/${id}`)).body.code).toBe('BACKEND_NOT_FOUND');
    expect((await remove(`/admin/pools/input/backends/${id}`)).status).toBe(204);
    expect(await urlsIn('input')).toEqual([]);
  });

  it('needs an URL, and one only', async () => {
    for (const [path, body] of [
      ['', undefined],
      ['', {}],
      [`?url=${URL}`, { url: `${URL}/other` }],
    ] as const) {
      const answer = await remove(`/admin/pools/input/backends${path}`, body);
      expect(answer).toMatchObject({ status: 400, body: { details: [{ path: 'url' }] } });
    }
  });

  it('needs the pool', async () => {
    for (const [path, body] of [
      ['', { url: URL }],
      [`/${crypto.randomUUID()}`, undefined],
    ] as const) {
      const answer = await remove(`/admin/pools/nowhere/backends${path}`, body);
      expect(answer).toMatchObject({ status: 404, body: { code: 'POOL_NOT_FOUND' } });
    }
  });
});

describe('what config.yml declares', () => {
  const declared = `${URL}/declared`;
  const ofFile = { name: 'input', backends: [declared], healthPath: '/ready' };

  it('is listed as such, and what is added comes on top', async () => {
    configure({ pools: [ofFile] });
    await add('input', `${URL}/added`);
    expect((await operator.get('/admin/pools')).body[0]).toMatchObject({
      name: 'input',
      source: 'config',
      health: '/ready',
      backends: [
        { id: null, url: declared, source: 'config' },
        { id: expect.any(String), url: `${URL}/added`, source: 'admin' },
      ],
    });
    expect(await add('input', declared)).toMatchObject({ status: 200, body: { id: null, source: 'config' } });
  });

  it('is changed there', async () => {
    configure({ pools: [ofFile] });
    const refused = [
      await remove('/admin/pools/input'),
      await remove('/admin/pools/input/backends', { url: declared }),
      await operator.post('/admin/pools', { name: 'input', health: '/other' }),
    ];
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'SET_BY_CONFIG_FILE' } });
    }
    expect((await operator.post('/admin/pools', { name: 'input', health: '/ready' })).status).toBe(200);
    expect(await urlsIn('input')).toEqual([declared]);
  });

  it('leaves with it, and what was added stays', async () => {
    configure({ pools: [{ ...ofFile, name: 'jobs' }] });
    expect((await add('jobs', `${URL}/added`)).status).toBe(201);
    configure({ pools: [] });
    expect(await urlsIn('jobs')).toEqual([`${URL}/added`]);
    expect((await remove('/admin/pools/jobs')).status).toBe(204);
  });
});
