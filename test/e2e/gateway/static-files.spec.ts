import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectContractError, sendRaw } from '../../support/contract-answer.js';
import { Gateway } from '../../support/gateway.js';
import { GatewayProgram } from '../../support/gateway-program.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { type RoutedAnswer, type RoutedRequest, send } from '../../support/routes.js';

const PAGE = '<!doctype html><title>The app</title>';
const SCRIPT = 'export const lines = [\n'.padEnd(4000, '  "one like the other",\n');
const SECRET = 'what is outside of the folder';
/** What a browser says when a person goes somewhere. */
const NAVIGATION = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

const FILES: Record<string, string> = {
  'public/index.html': PAGE,
  'public/script.js': SCRIPT,
  'public/empty.txt': '',
  'public/docs/index.html': '<title>Docs</title>',
  'public/docs/page.html': '<title>A page</title>',
  'public/assets/index-BcD12_x9.js': SCRIPT,
  'public/assets/main.8f3a2b1c0d4e5f60.css': 'a { color: red }',
  'public/assets/font-1a2B3c4D.woff2': 'a font',
  'public/assets/validate.js': 'a word of eight letters',
  'public/assets/report-20260115.pdf': 'a date',
  'public/script-BcD12_x9.js': 'not among the assets',
  'public/.env': SECRET,
  'public/.git/config': SECRET,
  'public/docs/.htpasswd': SECRET,
  // Each in the way of something that is served already.
  'public/auth/login': SECRET,
  'public/healthz': SECRET,
  'public/HEALTHZ': SECRET,
  'public/console/index.html': SECRET,
  'public/kira/x': SECRET,
  'public/space/x': SECRET,
  'public/health/kira': SECRET,
  'secret.txt': SECRET,
  'public-too/secret.txt': SECRET,
};

let folder: string;
let gateway: Gateway;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-static-'));
  for (const [name, text] of Object.entries(FILES)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  gateway = await Gateway.start({
    env: { STATIC_DIR: join(folder, 'public'), SLICE_PATHS: '/space' },
    configFile: 'services:\n  kira: { path: /kira }\n',
  });
}, 60_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, more: RoutedRequest = {}) =>
  send(gateway.url, path, { headers, ...more });
const head = (path: string, headers: Record<string, string> = {}) => get(path, headers, { method: 'HEAD' });

const NOT_FOUND = { status: 404, json: { error: 'Not Found', code: 'NOT_FOUND', route: 'core' } };

function expectPage(answer: RoutedAnswer): void {
  expect(answer).toMatchObject({
    status: 200,
    body: PAGE,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
  });
}

describe('a file of STATIC_DIR', () => {
  it('is served at its path, with its type', async () => {
    expect(await get('/script.js')).toMatchObject({
      status: 200,
      body: SCRIPT,
      headers: { 'content-type': 'text/javascript; charset=utf-8', 'content-length': '4000' },
    });
    expect(await get('/docs/page.html?from=here')).toMatchObject({
      status: 200,
      body: '<title>A page</title>',
    });
    expect(await get('/empty.txt')).toMatchObject({ status: 200, body: '' });
  });

  it('is index.html for a folder with a slash, and no list of files for any', async () => {
    expectPage(await get('/'));
    expect(await get('/docs/')).toMatchObject({ status: 200, body: '<title>Docs</title>' });
    for (const path of ['/docs', '/assets', '/assets/']) expect(await get(path)).toMatchObject(NOT_FOUND);
  });

  it('has the headers that every answer of ours has', async () => {
    for (const path of ['/', '/script.js', '/nowhere']) {
      expect((await get(path, NAVIGATION)).headers).toMatchObject({
        'x-request-id': expect.stringMatching(/\S/),
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-site',
      });
    }
  });

  it.each([
    ['/', 'no-cache'],
    ['/docs/page.html', 'no-cache'],
    ['/script.js', 'public, max-age=0, must-revalidate'],
    ['/script-BcD12_x9.js', 'public, max-age=0, must-revalidate'],
    ['/assets/validate.js', 'public, max-age=0, must-revalidate'],
    ['/assets/report-20260115.pdf', 'public, max-age=0, must-revalidate'],
    ['/assets/index-BcD12_x9.js', 'public, max-age=31536000, immutable'],
    ['/assets/main.8f3a2b1c0d4e5f60.css', 'public, max-age=31536000, immutable'],
    ['/assets/font-1a2B3c4D.woff2', 'public, max-age=31536000, immutable'],
  ])('%s is kept as %s', async (path, cacheControl) => {
    const { headers } = await get(path);
    expect(headers['cache-control']).toBe(cacheControl);
    expect((await get(path, { 'if-none-match': String(headers.etag) })).headers['cache-control']).toBe(
      cacheControl,
    );
  });

  it('is compressed, for whoever takes that', async () => {
    for (const encoding of ['br', 'gzip']) {
      const answer = await fetch(`${gateway.url}/script.js`, { headers: { 'accept-encoding': encoding } });
      expect(answer.headers.get('content-encoding')).toBe(encoding);
      expect(answer.headers.get('vary')).toMatch(/\bAccept-Encoding\b/);
      expect(await answer.text()).toBe(SCRIPT);
    }
    expect((await get('/script.js')).headers['content-encoding']).toBeUndefined();
    expect((await get('/', { 'accept-encoding': 'br' })).headers['content-encoding']).toBeUndefined();
  });

  it('is not sent again to whoever has it', async () => {
    const { headers } = await get('/script.js');
    const known: Record<string, string>[] = [
      { 'if-none-match': String(headers.etag) },
      { 'if-modified-since': String(headers['last-modified']) },
    ];
    for (const condition of known) {
      const answer = await get('/script.js', { ...condition, 'accept-encoding': 'br' });
      expect(answer).toMatchObject({ status: 304, body: '', headers: { etag: headers.etag } });
      expect(answer.headers.vary).toMatch(/\bAccept-Encoding\b/);
    }
    expect((await get('/script.js', { 'if-none-match': 'W/"another"' })).status).toBe(200);
  });

  it('is described to HEAD', async () => {
    expect(await head('/script.js')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '4000', 'cache-control': 'public, max-age=0, must-revalidate' },
    });
    expect(await head('/nothing.js')).toMatchObject({ status: 404, body: '' });
  });

  it('is sent in part, as it is', async () => {
    expect(await get('/script.js', { range: 'bytes=7-11', 'accept-encoding': 'br' })).toMatchObject({
      status: 206,
      body: 'const',
      headers: { 'content-range': 'bytes 7-11/4000', 'content-length': '5' },
    });
    const large = await get('/script.js', { range: 'bytes=0-2999', 'accept-encoding': 'br' });
    expect(large).toMatchObject({ status: 206, body: SCRIPT.slice(0, 3000) });
    expect(large.headers['content-encoding']).toBeUndefined();
  });

  it.each([
    [{ range: 'bytes=9000-' }, 416, 'RANGE_NOT_SATISFIABLE', 'bytes */4000'],
    [{ 'if-match': '"another"' }, 412, 'PRECONDITION_FAILED', undefined],
  ])('is refused by an error of ours: %j is %i', async (headers, status, code, contentRange) => {
    const answer = await sendRaw(gateway.url, {
      method: 'GET',
      path: '/script.js',
      headers: Object.fromEntries(Object.entries(headers)),
    });
    expect({ status: answer.status, code: expectContractError(answer) }).toEqual({ status, code });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(answer.headers['content-range']).toBe(contentRange);
    expect(answer.headers.etag).not.toBe((await get('/script.js')).headers.etag);
    expect(answer.headers['last-modified']).toBeUndefined();
  });

  it('takes GET and HEAD only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      expect(await get('/script.js', NAVIGATION, { method })).toMatchObject(NOT_FOUND);
    }
  });
});

describe('a page that is no file', () => {
  it.each(['/projects', '/projects/7/', '/projects/7?tab=2', '/docs', '/gone.html', '/nowhere/x.png'])(
    '%s is index.html to a browser that goes there',
    async (path) => {
      expectPage(await get(path, NAVIGATION));
      expect(await head(path, NAVIGATION)).toMatchObject({ status: 200, body: '' });
    },
  );

  it.each(['/projects', '/gone.js'])('%s is 404 to a program', async (path) => {
    for (const accept of ['*/*', 'application/json', 'image/*']) {
      expect(await get(path, { accept })).toMatchObject({
        ...NOT_FOUND,
        headers: { 'cache-control': 'no-store' },
      });
    }
    expect(await get(path)).toMatchObject(NOT_FOUND);
  });

  it.each(['/api', '/api/notes', '/API/notes', '/socket.io/?EIO=4', '/SPACE/x', '/auth/nothing', '/console'])(
    '%s is 404 to everybody: programs ask there',
    async (path) => {
      expect(await get(path, NAVIGATION)).toMatchObject(NOT_FOUND);
    },
  );
});

describe('what has its place already', () => {
  it('is no file: an endpoint of ours, in any spelling', async () => {
    expect(await get('/healthz', NAVIGATION)).toMatchObject({ status: 200, json: { ok: true } });
    expect(await get('/HEALTHZ', NAVIGATION)).toMatchObject({ status: 200, json: { ok: true } });
    for (const path of ['/auth/login', '/auth%2flogin', '//auth/login', '/AUTH%2Flogin', '/console/']) {
      const { status, body } = await get(path, NAVIGATION);
      expect({ path, status, body }).toEqual({
        path,
        status: 404,
        body: expect.not.stringContaining(SECRET),
      });
    }
  });

  it('is no file: what config.yml routes, and the health of a service', async () => {
    for (const path of ['/kira/x', '/health/kira']) {
      expect(await get(path, NAVIGATION)).toMatchObject({ status: 502, json: { code: 'MISSING_TARGET' } });
    }
  });

  it('is no file: what belongs to the slices', async () => {
    expect(await get('/space/x', NAVIGATION)).toMatchObject({
      status: 401,
      json: { code: 'UNAUTHENTICATED' },
    });
  });
});

describe('what is not to be served', () => {
  it.each(['/.env', '/.git/config', '/docs/.htpasswd', '/%2eenv', '/.nothing', '/.git'])(
    '%s begins with a dot: 404',
    async (path) => {
      const { status, body } = await get(path, NAVIGATION);
      expect({ status, body }).toEqual({ status: 404, body: expect.not.stringContaining(SECRET) });
    },
  );

  it.each([
    '/../secret.txt',
    '/../public-too/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/%252e%252e%252fsecret.txt',
    '/assets/../../secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '/..%5csecret.txt',
    '/..;/secret.txt',
    '/.../secret.txt',
    '/....//secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/..%c0%afsecret.txt',
    '/..%00/secret.txt',
    '/../secret.txt%00.html',
    '/%zz/../../secret.txt',
    '//../secret.txt',
    '/./../secret.txt',
    'http://sluice.example/../secret.txt',
    'file:///etc/hostname',
  ])('nothing leads out of the folder: %s', async (target) => {
    const { port } = new URL(gateway.url);
    for (const accept of ['*/*', 'text/html']) {
      const answer = await RawClient.exchange(
        Number(port),
        `GET ${target} HTTP/1.1\r\nHost: sluice.example\r\nAccept: ${accept}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).not.toContain(SECRET);
      // A path like another, once its dots are resolved, may be that of a page.
      if (answer.endsWith(PAGE)) expect(accept).toBe('text/html');
      else expect([400, 404]).toContain(statusOf(answer));
    }
  });

  it('but a symbolic link is followed, wherever it leads: whoever may write there decides', async () => {
    await symlink(join(folder, 'secret.txt'), join(folder, 'public/linked.txt'));
    expect(await get('/linked.txt')).toMatchObject({ status: 200, body: SECRET });
  });
});

describe('without STATIC_DIR', () => {
  it('nothing is served at /', async () => {
    await using bare = await Gateway.start();
    for (const path of ['/', '/index.html', '/projects']) {
      expect(await send(bare.url, path, { headers: NAVIGATION })).toMatchObject(NOT_FOUND);
    }
  });
});

describe('a gateway with a faulty STATIC_DIR', () => {
  it.each([
    ['is not there', { STATIC_DIR: '/nowhere/at/all' }, 'STATIC_DIR must be a folder that can be read'],
    ['is a file', { STATIC_DIR: '$/secret.txt' }, 'STATIC_DIR must be a folder that can be read'],
    ['holds the secrets', { STATIC_DIR: '$', DATA_DIR: '$/data' }, 'DATA_DIR lies in STATIC_DIR'],
    ['holds config.yml', { STATIC_DIR: '$', CONFIG_FILE: '$/config.yml' }, 'CONFIG_FILE lies in STATIC_DIR'],
  ])('that %s does not start', async (_what, env, fault) => {
    const filled = Object.fromEntries(
      Object.entries(env).map(([name, path]) => [name, path.replace('$', folder)]),
    );
    const { code, output } = await GatewayProgram.run({ env: { ...filled, LOG_LEVEL: 'loud' } }).ended;
    expect({ code, output }).toEqual({ code: 78, output: expect.stringContaining(fault) });
    expect(output).toContain('LOG_LEVEL');
  });
});
