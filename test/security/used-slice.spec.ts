import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gateway, PASSWORD } from '../support/gateway.js';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_AUTO_PROVISION: 'false' } });
}, 30_000);

afterAll(() => gateway[Symbol.asyncDispose]());

/** Somebody who has just signed up. */
async function newcomer() {
  const browser = gateway.browser();
  await browser.register(`${crypto.randomUUID()}@example.com`, PASSWORD);
  return browser;
}

describe('a slice that is not for the next customer', () => {
  it('is not given away with the data of its former owner', async () => {
    const { body: slice } = await gateway.operator().provision();
    const former = await newcomer();
    await former.post('/api/notes', { title: 'a secret' });
    await gateway.operator().send('PATCH', `/orchestrator/slices/${slice.id}`, { body: { owner: null } });
    const next = await newcomer();
    expect((await next.get('/auth/me')).body.slice).toBeNull();
    await gateway.operator().destroy(slice.id, true);
  }, 30_000);

  it('is not one that the operator asked for with a name, an image or variables of its own', async () => {
    const { body: slice } = await gateway.operator().provision({ name: 'staging', env: { STAGE: '1' } });
    const next = await newcomer();
    expect((await next.get('/auth/me')).body.slice).toBeNull();
    await gateway.operator().destroy(slice.id);
  }, 30_000);
});
