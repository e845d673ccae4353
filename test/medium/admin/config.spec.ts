import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type FileSettings, SettingsInForce } from '#config';
import { StoredSettings, User } from '#database';
import { ASSIGNED_SLICES, assignedSlices, customerWith } from '../../support/assigned-slices.js';
import type { Answer, OperatorClient } from '../../support/clients.js';
import { eventually } from '../../support/eventually.js';
import { Gateway } from '../../support/gateway.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { RecordingLogger } from '../../support/recording-logger.js';

const YAML = { 'content-type': 'application/yaml' };
const TEXT = `# who goes where
defaultBackend: http://\${BACKEND_HOST}:4070   # a name of the network
mappings: []
guest: { routes: [preview] }
`;

let gateway: Gateway;
let operator: OperatorClient;
let file: string;

beforeAll(async () => {
  gateway = await Gateway.start(
    assignedSlices({
      BACKEND_HOST: 'backend.internal',
      DB_PASSWORD: 'hunter2-of-the-database',
      APP_URL: 'http://sluice.example',
    }),
  );
  operator = gateway.operator();
  file = gateway.config.settingsFile;
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

const put = (body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  operator.send('PUT', '/admin/config', { body, ...(headers === undefined ? {} : { headers }) });
const reload = (): Promise<Answer> => operator.post('/admin/config/reload');
const said = async (): Promise<unknown> => (await operator.get('/admin/config')).body;
const text = async (): Promise<unknown> =>
  (await operator.get('/admin/config', { headers: { accept: 'application/yaml' } })).body;
const inForce = (): FileSettings => gateway.get(SettingsInForce).current;
const stored = () => gateway.get(DataSource).getRepository(StoredSettings).findOneByOrFail({ id: 1 });
const onDisk = (name = file): string => readFileSync(name, 'utf8');
const bodyOf = (origin: string) => ({ allowedOrigins: [origin] });

const isInForce = (route: string): Promise<void> =>
  eventually(async () => expect(inForce().guestRoutes).toEqual([route]), 5000);

/** Everything that a refused change must leave alone. */
async function everything(): Promise<unknown[]> {
  return [await said(), await text(), onDisk(), await stored(), inForce(), readdirSync(gateway.dataDir)];
}

describe('the configuration', () => {
  it('says nothing where nothing was ever configured', async () => {
    const fresh = await Gateway.start(ASSIGNED_SLICES);
    try {
      expect((await fresh.operator().get('/admin/config')).body).toEqual({});
      expect((await fresh.operator().post('/admin/config/reload')).body).toMatchObject({
        status: 404,
        code: 'CONFIG_FILE_NOT_FOUND',
        route: 'admin',
      });
      expect(existsSync(fresh.config.settingsFile)).toBe(false);
    } finally {
      await fresh[Symbol.asyncDispose]();
    }
  });

  it('is replaced by a JSON object, and is in force when the answer comes', async () => {
    const config = { defaultBackend: 'http://backend:4070', mappings: [], guest: { routes: ['demo'] } };
    const { status, body } = await put(config);
    expect({ status, body }).toEqual({ status: 200, body: { ok: true, config } });
    expect(inForce()).toMatchObject({ defaultBackend: 'http://backend:4070', guestRoutes: ['demo'] });
    expect((await operator.post('/auth/guest', {})).body).toMatchObject({ route: 'demo' });
    expect(await said()).toEqual(config);
    const tidy = 'defaultBackend: http://backend:4070\nmappings: []\nguest:\n  routes:\n    - demo\n';
    expect([await text(), onDisk(), (await stored()).text]).toEqual([tidy, tidy, tidy]);
  });

  it('is replaced by YAML, whose comments stay, and whose variables are put in nowhere but in force', async () => {
    const { status, body } = await put(TEXT, YAML);
    const config = {
      defaultBackend: 'http://${BACKEND_HOST}:4070',
      mappings: [],
      guest: { routes: ['preview'] },
    };
    expect({ status, body }).toEqual({ status: 200, body: { ok: true, config } });
    expect(await said()).toEqual(config);
    expect([await text(), onDisk(), (await stored()).text]).toEqual([TEXT, TEXT, TEXT]);
    expect(inForce().defaultBackend).toBe('http://backend.internal:4070');
  });

  it('is YAML to whoever asks for that by name, JSON to all others', async () => {
    await put(TEXT, YAML);
    for (const [accept, type] of [
      ['application/yaml', 'application/yaml; charset=utf-8'],
      ['text/yaml', 'application/yaml; charset=utf-8'],
      ['application/x-yaml, application/json;q=0.5', 'application/yaml; charset=utf-8'],
      ['*/*', 'application/json; charset=utf-8'],
      ['application/yaml;q=0.5, application/json', 'application/json; charset=utf-8'],
      ['image/png', 'application/json; charset=utf-8'],
    ]) {
      const { headers } = await operator.get('/admin/config', { headers: { accept: accept ?? '' } });
      expect({ accept, type: headers.get('content-type') }).toEqual({ accept, type });
    }
  });

  it('is kept once more beside the file, as it was before', async () => {
    await put(TEXT, YAML);
    await put(bodyOf('https://a.example.com'));
    expect(onDisk(`${file}.bak`)).toBe(TEXT);
    await put(bodyOf('https://a.example.com'));
    expect(onDisk(`${file}.bak`)).toBe(TEXT);
  });

  it('is for admins alone', async () => {
    const { browser, userId } = await customerWith(gateway, null);
    const asThem = () => browser.send('PUT', '/admin/config', { body: bodyOf('https://b.example.com') });
    expect((await asThem()).status).toBe(403);
    expect((await gateway.browser().get('/admin/config')).status).toBe(401);
    await gateway.get(DataSource).getRepository(User).update({ id: userId }, { role: 'admin' });
    expect((await asThem()).status).toBe(200);
  });

  it('lets the pages call whose origins it names, from then on', async () => {
    const origin = 'https://frontend.example.com';
    const allowed = async (): Promise<string | null> =>
      (await operator.get('/healthz', { headers: { origin } })).headers.get('access-control-allow-origin');
    await put(bodyOf('https://other.example.com'));
    expect(await allowed()).toBeNull();
    await put(bodyOf(origin));
    expect(await allowed()).toBe(origin);
    const login = await gateway.browser().post('/auth/logout', undefined, { origin });
    expect(login.status).toBe(204);
    await put({ allowedOrigins: ['*'] });
    expect(await allowed()).toBeNull();
  });
});

describe('a faulty configuration', () => {
  beforeEach(async () => {
    expect((await put(TEXT, YAML)).status).toBe(200);
  });

  it.each([
    ['broken YAML', 'guest:\n  routes: [a\nmappings: []\n', '', 3, /YAML/],
    ['an unknown key', 'mappings: []\n\nbackends: []\n', 'backends', 3, /not a known field/],
    ['an unknown key in a part', 'guest:\n  routes: []\n  all: 1\n', 'guest.all', 3, /not a known field/],
    ['a loop', '\ndefaultBackend: http://sluice.example\n', 'defaultBackend', 2, /leads back to Sluice/],
    [
      'an id twice',
      'services:\n  a: { path: /a }\nroutes:\n  - { id: a, path: /b, auth: [none] }\n',
      'services.a',
      2,
      /routes\.0\.id as well/,
    ],
    ['another protocol', 'pools:\n  p:\n    backends:\n      - ftp://x\n', 'pools.p.backends.0', 4, /http/],
    ['a variable that is not set', 'defaultBackend: http://${NOBODY}\n', 'defaultBackend', 1, /\$\{NOBODY\}/],
    ['a secret', 'defaultBackend: http://x/${DB_PASSWORD}\n', 'defaultBackend', 1, /secret/],
    [
      'an own path',
      'routes:\n  - { id: x, path: /admin, auth: [none] }\n',
      'routes.0.path',
      2,
      /own endpoints/,
    ],
    ['nothing but comments', '# nothing\n', '', null, /empty/],
  ])('with %s changes nothing, and is told by its line', async (_what, faulty, path, line, reason) => {
    const before = await everything();
    const { status, body } = await put(faulty, YAML);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'VALIDATION_FAILED' });
    expect(body.details).toEqual([{ path, line, message: expect.stringMatching(reason) }]);
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(await everything()).toEqual(before);
    expect(inForce()).toBe(before[4]);
  });

  it('in JSON is told by the line in what was sent', async () => {
    const before = await everything();
    const json =
      '{\n\t"defaultBackend": "http://b",\n\t"mappings": [\n\t\t{"frontendHost": "a"},\n\t\t7\n\t]\n}';
    const { body } = await put(json);
    expect(body.details).toEqual([
      { path: 'mappings.0.backend', line: 4, message: 'is required' },
      { path: 'mappings.1', line: 5, message: expect.any(String) },
    ]);
    expect((await put({})).body.details).toEqual([
      { path: '', line: null, message: expect.stringMatching(/^is empty/) },
    ]);
    expect((await put('{"pools":{},\n"pools":{}}')).body.details).toEqual([
      { path: 'pools', line: 2, message: 'stands here for the second time' },
    ]);
    expect(await everything()).toEqual(before);
  });

  it('is also one of more than 100 KB, or of another type', async () => {
    const before = await everything();
    expect((await put(`# ${'x'.repeat(102_400)}\n`, YAML)).body.code).toBe('BODY_TOO_LARGE');
    expect((await put(TEXT, { 'content-type': 'text/plain' })).body.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect((await operator.post('/admin/config/reload', TEXT, YAML)).body.code).toBe(
      'UNSUPPORTED_MEDIA_TYPE',
    );
    expect((await operator.post('/auth/login', TEXT, YAML)).body.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    // Small as it was sent; as YAML it would no more fit into a file that is read again.
    const wide = {
      appMetrics: Array.from({ length: 2600 }, (_, i) => ({ name: `n${i}`, sql: '\n1\n2\n3' })),
    };
    const { status, body } = await put(wide);
    expect({ status, details: body.details }).toMatchObject({
      status: 400,
      details: [{ message: 'is larger than 100 KB' }],
    });
    expect(await everything()).toEqual(before);
  });

  it('in the file is not taken when it is reloaded', async () => {
    const before = await everything();
    writeFileSync(file, 'mappings: []\nunknown: 1\n');
    const { status, body } = await reload();
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', details: [{ path: 'unknown', line: 2 }] },
    });
    expect(inForce()).toBe(before[4]);
    expect(await stored()).toEqual(before[3]);
  });
});

describe('config.yml', () => {
  let logger: RecordingLogger;
  beforeEach(async () => {
    expect((await put(TEXT, YAML)).status).toBe(200);
    logger = new RecordingLogger();
    Logger.overrideLogger(logger);
  });
  afterEach(() => Logger.overrideLogger(quietLogger));

  it('is read when that is asked for', async () => {
    // Nobody sees it change: what stands there is what was seen last, yet not what is in force.
    await gateway.get(DataSource).query(`UPDATE settings SET text = 'guest: { routes: [other] }'`);
    const { status, body } = await reload();
    expect({ status, body }).toMatchObject({ status: 200, body: { ok: true, config: { mappings: [] } } });
    expect((await stored()).text).toBe(TEXT);
    expect(logger.lines.join('\n')).toMatch(/was read from the file for the admin key/);
  });

  it('is taken when it changes in its place', async () => {
    writeFileSync(file, 'guest: { routes: [in-place] }\n');
    await isInForce('in-place');
    expect((await stored()).text).toBe('guest: { routes: [in-place] }\n');
  });

  it('is taken when another file is put in its place, time and again', async () => {
    for (const route of ['first', 'second', 'third']) {
      writeFileSync(`${file}~`, `guest: { routes: [${route}] }\n`);
      renameSync(`${file}~`, file);
      await isInForce(route);
    }
  });

  it('is taken when it comes back, and missed by nobody until then', async () => {
    rmSync(file);
    writeFileSync(`${file}.other`, 'guest: { routes: [nobodys] }\n');
    expect(await said()).toMatchObject({ guest: { routes: ['preview'] } });
    writeFileSync(file, 'guest: { routes: [back] }\n');
    await isInForce('back');
    rmSync(`${file}.other`);
  });

  it('is left alone with its faults, which are logged once with their lines', async () => {
    const before = inForce();
    writeFileSync(file, 'mappings: []\nunknown: ${DB_PASSWORD}\n');
    await eventually(async () => expect(logger.lines.join('\n')).toMatch(/config\.yml:2: unknown/), 5000);
    expect(inForce()).toBe(before);
    expect((await stored()).text).toBe(TEXT);
    writeFileSync(file, 'guest: { routes: [mended] }\n');
    await isInForce('mended');
    expect(logger.lines.filter((line) => line.includes('has faults'))).toHaveLength(1);
    expect(logger.lines.join('\n')).not.toContain('hunter2');
  });

  it('is no change when it was written by ourselves', async () => {
    await put(bodyOf('https://own.example.com'));
    const { revision } = await stored();
    writeFileSync(file, 'guest: { routes: [theirs] }\n');
    await isInForce('theirs');
    // Had our own writing been taken for a change, there would be one more.
    expect((await stored()).revision).toBe(revision + 1);
  });

  it('tells in the log who changed it', async () => {
    await put(bodyOf('https://who.example.com'));
    expect(logger.lines.join('\n')).toMatch(
      /revision \d+ of the configuration was put in force by the admin key/,
    );
  });
});

describe('a file that can not be written', () => {
  it('keeps nothing from being in force, and is logged once', async () => {
    const logger = new RecordingLogger();
    const readOnly = await Gateway.start(assignedSlices({ CONFIG_FILE: '/proc/sluice/config.yml' }));
    Logger.overrideLogger(logger);
    try {
      for (const route of ['one', 'two']) {
        const body = { guest: { routes: [route] } };
        const { status } = await readOnly.operator().send('PUT', '/admin/config', { body });
        expect(status).toBe(200);
        expect(readOnly.get(SettingsInForce).current.guestRoutes).toEqual([route]);
      }
      expect(logger.lines.filter((line) => line.includes("can't be written"))).toHaveLength(1);
    } finally {
      Logger.overrideLogger(quietLogger);
      await readOnly[Symbol.asyncDispose]();
    }
  });
});
