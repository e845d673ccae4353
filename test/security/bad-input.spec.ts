import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { describeRoutes } from '#auth';
import { FORWARDED_ENDPOINTS } from '#proxy';
import { expectContractError, type RawAnswer, type RawRequest, sendRaw } from '../support/contract-answer.js';
import { ADMIN_KEY, Gateway, PASSWORD } from '../support/gateway.js';
import { HOSTILE_IDS, HOSTILE_NUMBERS, HOSTILE_QUERIES, HOSTILE_STRINGS } from '../support/hostile-input.js';
import { soak } from '../support/soak.js';

type Json = Record<string, unknown>;

interface Schema {
  readonly type?: string;
  readonly nullable?: boolean;
  readonly properties?: Record<string, Schema>;
  readonly required?: string[];
  readonly anyOf?: Schema[];
}

interface Operation {
  readonly parameters: ReadonlyArray<{ readonly in: string; readonly name: string }>;
  /** The pages of mailed links take forms, and answer pages: see test/medium/auth/verify.spec.ts. */
  readonly requestBody?: { readonly content: { readonly 'application/json'?: { readonly schema: Schema } } };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Readonly<Record<string, unknown>> }
  >;
  readonly security?: ReadonlyArray<Record<string, unknown>>;
}

/** One endpoint, as the committed OpenAPI document describes it. */
interface Endpoint {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly schema: Schema | undefined;
}

const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};
/** What is sent there is for an upstream to read. */
const forwarded: ReadonlySet<string> = new Set(
  FORWARDED_ENDPOINTS.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
);
const endpoints: readonly Endpoint[] = Object.entries(document.paths)
  .flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
      schema: operation.requestBody?.content['application/json']?.schema,
    })),
  )
  .filter(({ name }) => !forwarded.has(name));
const withBody = endpoints.filter(({ schema }) => schema !== undefined);
const withId = endpoints.filter(({ path }) => path.includes('{'));

const TAKEN_EMAIL = 'ada@example.com';

/** Of the form of a session's id, and none's. */
const UNKNOWN_SESSION = 'B'.repeat(43);

/** Of the form of a mailed link's token; nobody was mailed it. */
const UNKNOWN_TOKEN = 'A'.repeat(43);

/**
 * A good body for each endpoint that takes one. It is turned down for another reason than its form, so that nothing
 * ever comes of a request here: the address has an account, the only port has a slice, there is no such slice, a
 * password is wrong, a second factor was not begun.
 */
const GOOD: Record<string, Json> = {
  'POST /auth/register': { email: TAKEN_EMAIL, password: PASSWORD, name: 'Ada' },
  'POST /auth/login': { email: TAKEN_EMAIL, password: 'not the password', totp: '123456' },
  'POST /auth/guest': { route: 'nowhere' },
  'POST /auth/password': { current: 'not the password', next: 'another password' },
  'POST /auth/password/forgot': { email: 'nobody@example.com' },
  'POST /auth/password/reset': { token: UNKNOWN_TOKEN, password: 'another password' },
  'POST /auth/verify': { token: UNKNOWN_TOKEN },
  'POST /auth/totp/enroll': { password: 'not the password' },
  'POST /auth/totp/confirm': { code: '123456' },
  'DELETE /auth/totp': { code: '123456' },
  'DELETE /account': { password: 'not the password' },
  // Nothing turns a good one down: see `state`.
  'POST /api/apikeys/generate': {
    name: 'worker',
    worker_type: 'ping',
    scopes: ['GET /api/gateway/*'],
    expires_in_days: 1,
  },
  'POST /orchestrator/provision': {
    name: 'acme',
    image: 'acme/app',
    memory: '64m',
    cpus: 1,
    env: { A: 'b' },
  },
  'POST /orchestrator/slices': { name: 'acme', image: 'acme/app', memory: '64m', cpus: 1, env: { A: 'b' } },
  // Sluice itself is no target. What a hostile one may be without can be good as well: see `state`.
  'PUT /admin/config': { defaultBackend: 'http://sluice.example', guest: { routes: ['build'] } },
  // A pool that is made is no harm either.
  'POST /admin/pools': { name: 'input', health: '/health' },
  'POST /admin/pools/{pool}/backends': { url: 'http://127.0.0.1:9' },
  'DELETE /admin/pools/{pool}/backends': { url: 'http://127.0.0.1:9' },
  // Sluice itself is no slice, and the name is taken: whichever field is another one, the rest is turned down.
  'POST /admin/slices': { port: 80, host: 'sluice.example', name: 'standing' },
  'POST /admin/slices/{id}/status': { status: 'active' },
  'PATCH /admin/users/{id}': { role: 'member', disabled: false },
  'PATCH /orchestrator/slices/{id}': { name: 'acme', env: { A: 'b' } },
  'POST /orchestrator/orphans/sweep': { dryRun: true },
};

/** Answers to a request that can't be read; the document says once that any endpoint may give them. */
const ANYWHERE = ['BAD_REQUEST', 'BODY_TOO_LARGE', 'INVALID_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'URI_TOO_LONG'];

const EXAMPLES: Record<string, unknown> = {
  string: 'text',
  number: 7.5,
  boolean: true,
  null: null,
  array: ['text'],
  object: { $ne: 1 },
};

describe('bad input', () => {
  let gateway: Gateway;
  let sliceId: number;
  let session: string;
  let postgres: Client;
  let before: string;

  beforeAll(async () => {
    gateway = await Gateway.start({
      // The monitor writes as well.
      env: {
        SLICE_AUTO_PROVISION: 'false',
        APP_URL: 'http://sluice.example',
        MONITOR_INTERVAL_SECONDS: '0',
        ...onePort(),
      },
    });
    const browser = gateway.browser();
    const { body } = await browser.register(TAKEN_EMAIL, PASSWORD);
    session = browser.cookie;
    const standing = { name: 'standing', owner: body.user.id };
    sliceId = (await gateway.operator().provision(standing)).body.id;
    postgres = new Client(gateway.database.connection);
    await postgres.connect();
    // Who has just signed in may do more without the password.
    await postgres.query(`UPDATE session SET created_at = created_at - interval '1 hour'`);
    before = await state(postgres);
  });
  afterAll(async () => {
    await postgres.end();
    await gateway[Symbol.asyncDispose]();
  });

  /** Sends it, and checks what holds for whatever is sent. */
  async function send(
    endpoint: Endpoint,
    request: Partial<RawRequest>,
  ): Promise<RawAnswer & { code: string }> {
    const answer = await sendRaw(gateway.url, {
      method: endpoint.method,
      path: pathOf(endpoint),
      ...request,
      headers: { ...credentialFor(endpoint), ...typeFor(request.body), ...request.headers },
    });
    expect(answer.headers).not.toHaveProperty('x-injected');
    expect(String(answer.headers['set-cookie'])).not.toContain('injected');
    if (answer.status < 400) return { ...answer, code: '' };
    if (isDocumentedPage(endpoint, answer)) {
      expect(answer.text).not.toMatch(/Error|node_modules|SELECT/);
      return { ...answer, code: '' };
    }
    const code = expectContractError(answer);
    expect([...ANYWHERE, ...documentedCodes(endpoint, answer.status)]).toContain(code);
    if (answer.status === 503) expect(['NO_FREE_PORT', 'BILLING_DISABLED']).toContain(code);
    expect(answer.status).toBeLessThanOrEqual(503);
    return { ...answer, code };
  }

  /** What opens the endpoint; no session where a request without a body or an id would end it. */
  function credentialFor({ operation, schema, path }: Endpoint): Record<string, string> {
    const bySessionAlone = operation.security?.every((scheme) => 'session' in scheme) === true;
    return bySessionAlone && (schema !== undefined || path.includes('{'))
      ? { cookie: session }
      : { 'x-admin-key': ADMIN_KEY };
  }

  async function sendJson(endpoint: Endpoint, body: unknown): Promise<RawAnswer & { code: string }> {
    return send(endpoint, { body: typeof body === 'string' ? body : JSON.stringify(body) });
  }

  /** Each case is tried; the ones that are answered wrongly are named. */
  async function expectRefused<T>(
    cases: readonly T[],
    attempt: (input: T) => Promise<{ status: number; code: string }>,
    codes: readonly string[],
  ): Promise<void> {
    const wrong: unknown[] = [];
    for (const input of cases) {
      const { status, code } = await attempt(input);
      if (!codes.includes(code)) wrong.push({ input: JSON.stringify(input).slice(0, 200), status, code });
    }
    expect(wrong).toEqual([]);
    expect(await state(postgres)).toBe(before);
  }

  /** Each case is tried; whatever is wrong with it, it is the caller's fault, and nothing comes of it. */
  async function expectHarmless<T>(
    cases: readonly T[],
    attempt: (input: T) => Promise<{ status: number }>,
  ): Promise<void> {
    const wrong: unknown[] = [];
    for (const input of cases) {
      const { status } = await attempt(input).catch((error: unknown) => ({ status: error }));
      if (typeof status !== 'number') wrong.push({ input: JSON.stringify(input).slice(0, 200), status });
    }
    expect(wrong).toEqual([]);
    expect(await state(postgres)).toBe(before);
  }

  it('is tried on every endpoint there is, and each has a good body to begin with', () => {
    const routes = describeRoutes(gateway.app).map(({ method, path }) => `${method} ${path}`);
    const documented = endpoints.map(({ name }) => name.replaceAll(/\{(\w+)\}/g, ':$1'));
    expect(documented.toSorted()).toEqual(routes.toSorted());
    expect(Object.keys(GOOD).toSorted()).toEqual(withBody.map(({ name }) => name).toSorted());
  });

  describe.each(withBody)('in the body of $name', (endpoint) => {
    const good = GOOD[endpoint.name] ?? {};
    const properties = Object.entries(endpoint.schema?.properties ?? {});
    const strings = Object.keys(good).filter((key) => typeof good[key] === 'string');

    it('is a field of another type: the answer names the field', async () => {
      const cases = properties.flatMap(([field, schema]) =>
        Object.entries(EXAMPLES)
          .filter(([type]) => !typesOf(schema).includes(type))
          .map(([, value]) => ({ field, value })),
      );
      await expectRefused(
        cases,
        async ({ field, value }) => {
          const answer = await sendJson(endpoint, { ...good, [field]: value });
          if (answer.code === 'VALIDATION_FAILED') {
            expect(detailPaths(answer).map((path) => path.split('.')[0])).toContain(field);
          }
          return answer;
        },
        ['VALIDATION_FAILED'],
      );
    });

    it('is a field that is missing: the answer names the field', async () => {
      await expectRefused(
        endpoint.schema?.required ?? [],
        async (field) => {
          const answer = await sendJson(endpoint, { ...good, [field]: undefined });
          expect(detailPaths(answer)).toEqual([field]);
          return answer;
        },
        ['VALIDATION_FAILED'],
      );
    });

    it('is a field nobody knows: the answer names the field', async () => {
      const fields = [
        'role',
        'id',
        'isAdmin',
        'constructor',
        'prototype',
        'hasOwnProperty',
        'toString',
        '',
        '$where',
      ];
      await expectRefused(
        fields.filter((field) => !properties.some(([known]) => known === field)),
        async (field) => {
          const answer = await sendJson(endpoint, { ...good, [field]: 'admin' });
          expect(detailPaths(answer)).toEqual([field]);
          return answer;
        },
        ['VALIDATION_FAILED'],
      );
    });

    it('is a prototype that is to be polluted', async () => {
      const text = JSON.stringify(good).slice(1, -1);
      await expectRefused(
        [
          `{${text},"__proto__":{"role":"admin"}}`,
          `{${text},"__proto__":null}`,
          `{${text},"constructor":{"prototype":{"role":"admin"}}}`,
          `{${text},"env":{"__proto__":{"A":"b"}}}`,
          `{${text},"env":{"__proto__":"b"}}`,
        ],
        (body) => sendJson(endpoint, body),
        ['VALIDATION_FAILED'],
      );
      expect(({} as Json)['role']).toBeUndefined();
    });

    it('is no object at all', async () => {
      await expectRefused(
        [[], [good], [[]], [1], ['text']].map((body) => JSON.stringify(body)),
        (body) => sendJson(endpoint, body),
        ['VALIDATION_FAILED'],
      );
      await expectRefused(
        ['null', '1', 'true', '"text"', '-0', '1e400'],
        (body) => sendJson(endpoint, body),
        ['INVALID_JSON', 'VALIDATION_FAILED'],
      );
    });

    it('is a hostile string in any field', async () => {
      const cases = strings.flatMap((field) => HOSTILE_STRINGS.map((text) => ({ field, text })));
      await expectHarmless(cases, ({ field, text }) => sendJson(endpoint, { ...good, [field]: text }));
    });

    it('is a hostile string that an attacker hides in an object, a list or a name', async () => {
      await expectHarmless(HOSTILE_STRINGS, async (text) => {
        for (const [field] of properties) {
          await sendJson(endpoint, { ...good, [field]: { [text]: text } });
          await sendJson(endpoint, { ...good, [field]: [text, { $gt: text }] });
        }
        return sendJson(endpoint, { ...good, [text]: text });
      });
    });

    it('is a number that no column holds', async () => {
      const cases = properties.flatMap(([field]) => HOSTILE_NUMBERS.map((number) => ({ field, number })));
      await expectHarmless(cases, ({ field, number }) =>
        sendJson(
          endpoint,
          JSON.stringify({ ...good, [field]: 0 }).replace(`"${field}":0`, `"${field}":${number}`),
        ),
      );
    });

    it('is a form in place of JSON', async () => {
      const form = new URLSearchParams(Object.entries(good).map(([key, value]) => [key, String(value)]));
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      await expectRefused(
        [`${form}&role=admin`, `${form}&email[$ne]=1`, `${form}&constructor=1`, '%FF=FF&%=%'],
        (body) => send(endpoint, { body, headers }),
        ['VALIDATION_FAILED'],
      );
      await expectHarmless(
        [
          `${form}&email=x&email=y&name=x&name=y&dryRun=x`,
          `__proto__[role]=admin&${form}&__proto__=1`,
          '&&&=&',
        ],
        (body) => send(endpoint, { body, headers }),
      );
      expect(({} as Json)['role']).toBeUndefined();
    });

    it('is anything that JSON can say', async () => {
      const field = fc.constantFrom(...properties.map(([name]) => name), ...strings);
      const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary' }), fc.double());
      const body = fc.oneof(
        fc.jsonValue(),
        fc.dictionary(field, value),
        fc.dictionary(field, value, { maxKeys: 2 }).map((changes) => ({ ...good, ...changes })),
      );
      await fc.assert(
        fc.asyncProperty(body, async (json) => {
          await sendJson(endpoint, JSON.stringify(json));
        }),
        { numRuns: soak(2_000, 40) },
      );
      expect(await state(postgres)).toBe(before);
    });
  });

  describe.each(endpoints)('at $name', (endpoint) => {
    it('is a body that is too large', async () => {
      const large = 'x'.repeat(101 * 1024);
      const gzip = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
      await expectRefused(
        [
          { body: JSON.stringify({ email: large }) },
          { body: `email=${large}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
          { body: gzipSync(JSON.stringify({ email: 'x'.repeat(10_000_000) })), headers: gzip },
        ],
        (request) => send(endpoint, request),
        ['BODY_TOO_LARGE'],
      );
    });

    it('is JSON that is malformed', async () => {
      await expectRefused(
        [
          '{',
          '{"email":',
          '{"email":"a"',
          "{'email':'a'}",
          '{"a":1,}',
          '[1,2',
          'undefined',
          'NaN',
          '\0',
          '{}{}',
          '\u{FEFF}{',
        ],
        (body) => send(endpoint, { body }),
        ['INVALID_JSON'],
      );
      const gzip = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
      await expectRefused(
        [Buffer.from('not gzip'), gzipSync('{}').subarray(0, 12)],
        (body) => send(endpoint, { body, headers: gzip }),
        ['INVALID_JSON'],
      );
    });

    it('is a body of a type or an encoding that is not served', async () => {
      await expectRefused(
        [
          'text/plain',
          'text/xml',
          'multipart/form-data; boundary=x',
          'application/octet-stream',
          'application/json-patch+json',
          'application/jsonp',
          'image/png',
          'json',
          '*/*',
          'a'.repeat(2_000),
          'application/json; charset=utf-99',
        ],
        (type) => send(endpoint, { body: '{}', headers: { 'content-type': type } }),
        ['UNSUPPORTED_MEDIA_TYPE'],
      );
      await expectRefused(
        ['compress', 'gzip, gzip', 'x'.repeat(500)],
        (encoding) =>
          send(endpoint, {
            body: '{}',
            headers: { 'content-encoding': encoding, 'content-type': 'application/json' },
          }),
        ['UNSUPPORTED_MEDIA_TYPE'],
      );
    });

    it('is a body nested so deep that a recursive reader falls over', async () => {
      await expectHarmless(
        [`${'['.repeat(50_000)}${']'.repeat(50_000)}`, `${'{"a":'.repeat(16_000)}1${'}'.repeat(16_000)}`],
        (body) => send(endpoint, { body }),
      );
    });

    it('is no body where one is wanted, or an empty one', async () => {
      await expectHarmless(
        [
          {},
          { body: '' },
          { body: '', headers: { 'content-type': 'application/json' } },
          { body: '{}' },
          { body: ' ' },
        ],
        (request) => send(endpoint, request),
      );
    });

    it('is a query that was tampered with', async () => {
      const body = GOOD[endpoint.name];
      await expectHarmless(HOSTILE_QUERIES, (query) =>
        send(endpoint, {
          path: pathOf(endpoint) + query,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      );
    });

    it('is a header that was tampered with', async () => {
      const body = GOOD[endpoint.name];
      const long = 'k'.repeat(8_000);
      await expectHarmless<Record<string, string | string[]>>(
        [
          { 'idempotency-key': long },
          { 'idempotency-key': 'k'.repeat(256) },
          { 'idempotency-key': 'with blank' },
          { 'idempotency-key': '\u00ff' },
          { 'idempotency-key': '' },
          { 'idempotency-key': ['one', 'two'] },
          { cookie: 'session=%00; session=%FF; __proto__=1' },
          { cookie: `session=${long}` },
          { cookie: Array.from({ length: 20 }, (_, i) => `session=${i}`).join('; ') },
          { 'user-agent': '\u00ff'.repeat(4_000) },
          { authorization: 'Bearer \u00ff' },
          { 'content-length': '0', 'content-type': 'text/plain' },
          { accept: 'nothing/at-all', 'accept-encoding': 'x', 'accept-language': long },
        ],
        (headers) =>
          send(endpoint, {
            headers,
            ...(body === undefined || 'content-length' in headers ? {} : { body: JSON.stringify(body) }),
          }),
      );
    });
  });

  describe.each(withId)('as the id of $name', (endpoint) => {
    const body = GOOD[endpoint.name];
    const good = body === undefined ? {} : { body: JSON.stringify(body) };

    it('is what no id looks like', async () => {
      const unlike = HOSTILE_IDS.filter((id) => !isIdOf(endpoint, id));
      await expectRefused(unlike, (id) => send(endpoint, { path: pathOf(endpoint, id), ...good }), [
        'VALIDATION_FAILED',
        'BAD_REQUEST',
      ]);
    });

    it('is the id of nothing that is there', async () => {
      const { ids, code } = absentFrom(endpoint);
      await expectRefused(ids, (id) => send(endpoint, { path: pathOf(endpoint, id), ...good }), [code]);
    });
  });

  it('is half a surrogate pair, which can not be stored as it is', async () => {
    const register = endpoints.find(({ name }) => name === 'POST /auth/register') as Endpoint;
    const newcomer = { email: 'new@example.com', password: PASSWORD, name: 'New' };
    await expectRefused(
      [{ password: 'password\uD800' }, { name: '\uDC00' }, { email: '\uD800@example.com' }],
      (change) => sendJson(register, { ...newcomer, ...change }),
      ['VALIDATION_FAILED'],
    );
  });

  it('is more session cookies than anybody needs: nobody is signed up, or in', async () => {
    const cookie = Array.from({ length: 20 }, (_, i) => `session=${i}`).join('; ');
    const accounts = [
      ['/auth/register', { email: 'new@example.com', password: PASSWORD }],
      ['/auth/login', { email: TAKEN_EMAIL, password: PASSWORD }],
    ] as const;
    for (const [path, body] of accounts) {
      const { body: answer } = await gateway.browser().post(path, body, { cookie });
      expect(answer).toMatchObject({ code: 'AMBIGUOUS_SESSION' });
    }
    expect(await state(postgres)).toBe(before);
  });

  it('that looks hostile and is not wrong is kept as it is', async () => {
    const browser = gateway.browser();
    const name = `Robert'); DROP TABLE "user"; -- <b>`;
    const body = { email: `o'brien+${Date.now()}@example.com`, password: `' OR '1'='1`, name };
    const { status } = await browser.post('/auth/register', body);
    expect(status).toBe(201);
    expect((await browser.get('/auth/me')).body.user).toMatchObject({ name, email: body.email });
    expect((await browser.post('/auth/login', { email: body.email, password: body.password })).status).toBe(
      200,
    );
    before = await state(postgres);
  });

  it('leaves the slice that stands as it stood', async () => {
    expect((await gateway.operator().get(`/orchestrator/slices/${sliceId}`)).body).toMatchObject({
      name: 'standing',
      status: 'active',
    });
  });
});

/** A range that one slice fills. */
function onePort(): NodeJS.ProcessEnv {
  const port = 30_000 + Math.floor(Math.random() * 2_000);
  return { SLICE_PORT_RANGE: `${port}-${port}` };
}

/** Whether it is an entry of the audit, of what may come of a good request. */
function tellsOfTheRest(table: string, content: string): boolean {
  return table === 'audit_entry' && /"target_kind": "(?:apiKey|pool|config)"/.test(content);
}

/**
 * Everything that the database holds. The clock of the reconciler goes on; it is none of a request's doing. API keys and
 * pools are left out: a request whose fault is elsewhere than in its body makes one. So is the configuration: nearly all
 * of it may be left out of a body, and what is left over is right.
 */
async function state(postgres: Client): Promise<string> {
  const { rows } = await postgres.query<{ name: string }>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT IN ('api_key', 'pool', 'settings') ORDER BY 1`,
  );
  const contents: string[] = [];
  for (const { name } of rows) {
    const { rows: all } = await postgres.query<{ content: string }>(
      `SELECT (to_jsonb(t) - 'last_healthy_at' - 'updated_at' - 'last_seen_at')::text AS content FROM ${name} t ORDER BY 1`,
    );
    contents.push(
      name,
      ...all.map(({ content }) => content).filter((content) => !tellsOfTheRest(name, content)),
    );
  }
  return contents.join('\n');
}

/** An id of nothing stands where none is given; of two, the last one is tried. */
function pathOf(endpoint: Endpoint, id = absentFrom(endpoint).ids[0] ?? ''): string {
  return endpoint.path
    .replace(/\{pool\}(?=.*\{)/, 'input')
    .replace('{sessionId}', UNKNOWN_SESSION)
    .replace(/\{\w+\}/, id);
}

/** Pools are named by their operator: what is odd as the id of anything else can be the name of one. */
function isIdOf({ path }: Endpoint, id: string): boolean {
  return (
    path.includes('{pool}') && !path.includes('{id}') && /^\w[\w-]{0,63}$/.test(id) && !id.startsWith('_')
  );
}

/** Ids of the right form that nothing has, and what is said of them. */
function absentFrom({ path }: Endpoint): { readonly ids: readonly string[]; readonly code: string } {
  if (path.startsWith('/admin/docs/')) return { ids: ['no.js'], code: 'VALIDATION_FAILED' };
  if (path.startsWith('/admin/users/')) return { ids: [crypto.randomUUID()], code: 'USER_NOT_FOUND' };
  if (path.includes('/backends/')) return { ids: [crypto.randomUUID()], code: 'BACKEND_NOT_FOUND' };
  if (path.startsWith('/admin/pools/')) return { ids: ['nowhere', '7'], code: 'POOL_NOT_FOUND' };
  if (path.startsWith('/api/apikeys/')) return { ids: [crypto.randomUUID()], code: 'NOT_FOUND' };
  if (path.startsWith('/auth/sessions/')) return { ids: ['A'.repeat(43)], code: 'NOT_FOUND' };
  return { ids: ['2147483647', '7'], code: 'SLICE_NOT_FOUND' };
}

function typeFor(body: unknown): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' };
}

/** What a mailed link opens is for people, its errors too. */
function isDocumentedPage({ operation }: Endpoint, { status, headers }: RawAnswer): boolean {
  const isPage = String(headers['content-type']).startsWith('text/html');
  return isPage && operation.responses[status]?.content?.['text/html'] !== undefined;
}

function documentedCodes({ operation }: Endpoint, status: number): string[] {
  return operation.responses[status]?.description.split(', ') ?? [];
}

/** The JSON types that a schema takes. */
function typesOf({ type, nullable = false, anyOf = [] }: Schema): string[] {
  const own = type === 'integer' ? ['number'] : type === undefined ? [] : [type];
  return [...own, ...(nullable ? ['null'] : []), ...anyOf.flatMap(typesOf)];
}

function detailPaths({ text }: RawAnswer): string[] {
  const { details = [] } = JSON.parse(text) as { details?: Array<{ path: string }> };
  return details.map(({ path }) => path);
}
