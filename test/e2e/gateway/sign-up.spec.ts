import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gateway, PASSWORD } from '../../support/gateway.js';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start({ env: { SLICE_POOL_SIZE: '1' } });
}, 30_000);

afterAll(() => gateway[Symbol.asyncDispose]());

describe('signing up', () => {
  it('gives a customer a slice of their own, in which they keep notes', async () => {
    const ada = await gateway.customer('ada@example.com');
    const written = await ada.post('/api/notes', { title: 'hello' });
    expect(written.status).toBe(201);
    const { body } = await ada.get('/api/notes');
    expect(body).toEqual([expect.objectContaining({ title: 'hello' })]);
  });

  it('shows a second customer nothing of the first', async () => {
    const first = await gateway.customer();
    await first.post('/api/notes', { title: 'a secret of the first' });
    const second = await gateway.customer();
    expect((await second.get('/api/notes')).body).toEqual([]);
  });

  it('tells the app who asks, and not by which session', async () => {
    const email = 'grace@example.com';
    const grace = await gateway.customer(email);
    expect((await grace.get('/api/whoami')).body).toMatchObject({ email });
  });

  it('lets nobody in without a session, and sends nobody to a login page', async () => {
    const { status, body } = await gateway.browser().get('/api/notes', { headers: { accept: 'text/html' } });
    expect(status).toBe(401);
    expect(body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
  });

  it('is over at the sign-out', async () => {
    const email = 'leaving@example.com';
    const customer = await gateway.customer(email);
    const { cookie } = customer;
    expect((await customer.logout()).status).toBe(204);
    customer.cookie = cookie;
    expect((await customer.get('/api/notes')).status).toBe(401);
    await customer.login(email, PASSWORD);
    expect((await customer.get('/api/notes')).status).toBe(200);
  });
});
