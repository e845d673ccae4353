import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { describeRoutes, openApiDocument } from '#auth';
import { FORWARDED_ENDPOINTS } from '#proxy';
import { Gateway } from '../support/gateway.js';

type Document = Awaited<ReturnType<typeof openApiDocument>>;

describe('the OpenAPI document', () => {
  const committed = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document;
  const operations = Object.entries(committed.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      operation: operation as NonNullable<typeof item.get>,
    })),
  );
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each(operations)('says of $name what can go wrong', ({ name, operation }) => {
    if (NEVER_FAIL.has(name)) return;
    const errors = Object.entries(operation.responses).filter(([status]) => status >= '400');
    expect(errors.length).toBeGreaterThan(0);
    for (const [, { description }] of errors as [string, { description: string }][]) {
      if (!FORWARDED.has(name) && !TOLD_BY_HEALTH.has(name))
        expect(description).toMatch(/^[A-Z][A-Z_]+(, [A-Z][A-Z_]+)*$/);
    }
    if (operation.security !== undefined && !FORWARDED.has(name)) {
      expect(codes(operation, '401')).toContain('UNAUTHENTICATED');
    }
  });

  it.each(operations.filter(({ operation }) => operation.requestBody !== undefined))(
    'shows a body of $name, as its schema wants it',
    ({ name, operation }) => {
      if (FORWARDED.has(name)) return;
      const { content } = operation.requestBody as { content: Record<string, { schema: BodySchema }> };
      for (const { schema } of Object.values(content)) {
        const { properties = {}, required = [], example = {} } = schema;
        const shown = Object.keys(example);
        expect(shown.length).toBeGreaterThan(0);
        expect(Object.keys(properties)).toEqual(expect.arrayContaining(shown));
        expect(shown).toEqual(expect.arrayContaining(required));
      }
    },
  );

  it('that is committed describes the gateway that runs (else: npm run openapi)', async () => {
    const { version } = committed.info;
    const document = await openApiDocument(gateway.app, {
      version,
      cookieName: gateway.config.session.cookieName,
      forwarded: FORWARDED_ENDPOINTS,
    });
    expect(JSON.parse(JSON.stringify(document))).toEqual(committed);
  });

  it('has every route, with the credential it requires', () => {
    const documented = operations.map(({ name, operation }) => {
      const schemes = (operation.security ?? []).flatMap((scheme) => Object.keys(scheme));
      return `${name}: ${schemes.length === 0 ? 'public' : schemes.toSorted().join(', ')}`;
    });
    const schemes = {
      public: 'public',
      session: 'session',
      'API key': 'apiKey',
      'admin key': 'adminKey, adminKeyAsBearer',
      'admin key, session or token': 'adminKey, adminKeyAsBearer, adminToken, session',
      undeclared: 'nothing',
    };
    const routes = describeRoutes(gateway.app, FORWARDED_ENDPOINTS).map(
      ({ method, path, access }) => `${method} ${path}: ${schemes[access]}`,
    );
    expect(documented.toSorted()).toEqual(routes.toSorted());
  });

  it('says that the identity provider can end any session', () => {
    const silent = operations.filter(
      ({ operation }) =>
        (operation.security ?? []).some((scheme) => 'session' in scheme) &&
        !codes(operation, '401').includes('SESSION_EXPIRED'),
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('says which public endpoints need the store of the sessions', () => {
    const need = operations.filter(
      ({ operation }) =>
        operation.security === undefined && codes(operation, '503').includes('SESSION_STORE_UNAVAILABLE'),
    );
    expect(need.map(({ name }) => name).toSorted()).toEqual([
      'GET /auth/callback',
      'GET /auth/login',
      'POST /auth/login',
      'POST /auth/logout',
      'POST /auth/password/reset',
      'POST /auth/password/reset/page',
      'POST /auth/register',
    ]);
  });

  it.each(operations)('says of $name what it does, and what comes back', ({ name, operation }) => {
    expect(operation.summary).toMatch(/\S/);
    const successes = Object.entries(operation.responses).filter(([status]) => /^[23]/.test(status));
    expect(successes.length).toBeGreaterThan(0);
    for (const [status, response] of successes) {
      expect(response).toMatchObject({
        description: expect.stringMatching(/\S/),
        ...promisedBy(status, name),
      });
    }
  });
});

/** The errors that are documented with a status. */
function codes({ responses }: { responses: object }, status: string): string[] {
  const { description = '' } = (responses as Record<string, { description?: string }>)[status] ?? {};
  return description.split(', ');
}

/** What an answer of this status has to describe: where a redirect leads, and the body unless there is none. */
function promisedBy(status: string, operation: string): object {
  if (status.startsWith('3')) return { headers: { Location: { schema: expect.any(Object) } } };
  if (status === '204' || ACCEPTED_WITHOUT_BODY.has(operation)) return {};
  const type = TYPES.get(operation) ?? (FORWARDED.has(operation) ? '*/*' : 'application/json');
  return { content: { [type]: { schema: expect.any(Object) } } };
}

/** 202: a mail may be on its way, and there is nothing to say of it. */
const ACCEPTED_WITHOUT_BODY: ReadonlySet<string> = new Set([
  'POST /auth/password/forgot',
  'POST /auth/verify/send',
]);

interface BodySchema {
  readonly properties?: Record<string, unknown>;
  readonly required?: string[];
  readonly example?: Record<string, unknown>;
}

/** They answer as long as anything does. */
const NEVER_FAIL: ReadonlySet<string> = new Set(['GET /healthz', 'GET /heartbeat', 'GET /info']);

/** Its 503 is an answer as well: what is down. */
const TOLD_BY_HEALTH: ReadonlySet<string> = new Set(['GET /health']);

/** Answered by upstreams, which say what they like. */
const FORWARDED: ReadonlySet<string> = new Set(
  FORWARDED_ENDPOINTS.map(({ method, path }) => `${method} ${path}`),
);

/** What is no JSON: what the links in mails open, and what a browser or Prometheus reads. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['GET /auth/password/reset', 'text/html'],
  ['GET /auth/verify', 'text/html'],
  ['POST /auth/password/reset/page', 'text/html'],
  ['POST /auth/verify/page', 'text/html'],
  ['GET /admin/docs', 'text/html'],
  ['GET /admin/docs/:asset', '*/*'],
  ['GET /metrics', 'text/plain'],
]);
