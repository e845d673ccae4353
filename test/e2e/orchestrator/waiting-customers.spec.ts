import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gateway, PASSWORD } from '../../support/gateway.js';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_AUTO_PROVISION: 'false' } });
}, 30_000);

afterAll(() => gateway[Symbol.asyncDispose]());

describe('a customer for whom there was no slice', () => {
  it('gets one as soon as one is ready', async () => {
    const customer = gateway.browser();
    const { body } = await customer.register('waiting@example.com', PASSWORD);
    expect(body).toMatchObject({ sliceAssigned: false, slice: null });
    const { body: slice } = await gateway.operator().provision();
    await customer.sliceIsReady();
    expect((await customer.get('/auth/me')).body.slice).toMatchObject({ id: slice.id });
  }, 30_000);

  it('gets none in place of one that the operator destroyed', async () => {
    const customer = gateway.browser();
    await customer.register('destroyed@example.com', PASSWORD);
    const { body: slice } = await gateway.operator().provision();
    await customer.sliceIsReady();
    await gateway.operator().destroy(slice.id, true);
    const { body: spare } = await gateway.operator().provision();
    const other = gateway.browser();
    await other.register('later@example.com', PASSWORD);
    expect((await other.get('/auth/me')).body.slice).toMatchObject({ id: spare.id });
    expect((await customer.get('/api/notes')).body).toMatchObject({ code: 'NO_SLICE' });
  }, 30_000);
});
