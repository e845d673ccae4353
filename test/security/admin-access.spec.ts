import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeRoutes } from '#auth';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import { Gateway } from '../support/gateway.js';

/**
 * A page of the operator's that lets a customer in is worth every slice. Each credential that is not an operator's is
 * shown to each endpoint of the operator's, whatever else is wrong with the request.
 */
let gateway: Gateway;
let credentials: Readonly<Record<string, Record<string, string>>>;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

beforeAll(async () => {
  gateway = await Gateway.start(ASSIGNED_SLICES);
  const { browser } = await customerWith(gateway, null);
  const { body: guest } = await gateway.browser().post('/auth/guest', {});
  const { body: worker } = await gateway
    .operator()
    .post('/api/apikeys/generate', { name: 'w', worker_type: 'ping' });
  credentials = {
    'nobody at all': {},
    'a member’s session': { cookie: browser.cookie },
    'a guest’s token': bearer(guest.token),
    'an API key': bearer(worker.key),
    'an API key as the admin key': { 'x-admin-key': worker.key },
    'a key that is none': { 'x-admin-key': 'x'.repeat(32) },
  };
}, 30_000);
afterAll(() => gateway[Symbol.asyncDispose]());

const operators = () => describeRoutes(gateway.app).filter(({ access }) => access.startsWith('admin'));

describe('the endpoints of the operator', () => {
  it('are all that stand below /admin and /orchestrator, and the metrics', () => {
    const others = describeRoutes(gateway.app).filter(
      ({ path, access }) => /^\/(admin|orchestrator|metrics)(\/|$)/.test(path) && !access.startsWith('admin'),
    );
    expect(others).toEqual([]);
    expect(operators().length).toBeGreaterThan(30);
  });

  it.each([
    'nobody at all',
    'a member’s session',
    'a guest’s token',
    'an API key',
    'an API key as the admin key',
    'a key that is none',
  ])('refuse %s', async (name) => {
    const headers = credentials[name];
    if (headers === undefined) throw new Error(name);
    // Who is known and may not is told so.
    const refusal = /member|guest/.test(name) ? 403 : 401;
    for (const { method, path } of operators()) {
      const concrete = path.replaceAll(/:\w+/g, '1');
      const { status, body } = await gateway.browser().send(method, concrete, {
        headers,
        ...(method === 'GET' ? {} : { body: {} }),
      });
      expect({ method, path, status }).toEqual({ method, path, status: refusal });
      expect(body).toMatchObject({ code: expect.stringMatching(/^(UNAUTHENTICATED|FORBIDDEN)$/) });
    }
  });
});
