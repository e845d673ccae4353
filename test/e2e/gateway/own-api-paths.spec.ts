import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../../support/clients.js';
import { Gateway, PASSWORD } from '../../support/gateway.js';

/** The slices have /api, and some of it is the gateway's own all the same. */
describe('below /api', () => {
  let gateway: Gateway;
  let customer: Browser;
  beforeAll(async () => {
    gateway = await Gateway.start({ env: { SLICE_AUTO_PROVISION: 'false' } });
    customer = gateway.browser();
    await customer.register('ada@example.com', PASSWORD);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each(['/api/apikeys/list', '/api/apikeys/list?a=1'])('%s is for the operator', async (path) => {
    expect(await customer.get(path)).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', route: 'auth' },
    });
    expect((await gateway.operator().get(path)).status).toBe(200);
  });

  it.each(['/api/apikeys', '/api/apikeys/', '/api/gateway/unknown'])('%s is nothing', async (path) => {
    expect(await customer.get(path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it.each(['/api/apikeyring', '/api/gateways/1', '/api', '/api/notes/api/apikeys'])(
    "%s is the slice's",
    async (path) => {
      expect(await customer.get(path)).toMatchObject({ status: 409, body: { code: 'NO_SLICE' } });
    },
  );

  it.each(['/api/notes', '/auth/me', '/admin/users', '/api/gateway/target'])(
    'a 401 says at %s which scheme there is',
    async (path) => {
      const { status, headers } = await gateway.browser().get(path);
      expect({ status, challenge: headers.get('www-authenticate') }).toEqual({
        status: 401,
        challenge: 'Bearer realm="Sluice"',
      });
    },
  );

  it.each(['/api//apikeys/list', '/api/x%2f..%2fapikeys/list'])(
    '%s, which can be read in two ways, is refused',
    async (path) => {
      expect(await customer.get(path)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    },
  );
});
