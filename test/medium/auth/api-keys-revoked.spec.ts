import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HitCounter } from '#auth';
import { generate, listed, OPERATOR, work, WorkProbe } from '../../support/api-keys.js';
import { AuthApp } from '../../support/auth-app.js';
import { eventually } from '../../support/eventually.js';

/** The same for all replicas, as it has to be. */
const env = { SECRET_KEY: 'the secret key of all gateways of this test' };
const ONE_SECOND = 1000;

let app: AuthApp;
beforeAll(async () => {
  app = await AuthApp.start({ controllers: [WorkProbe], env });
});
afterAll(() => app[Symbol.asyncDispose]());

const revoke = (path: string) => app.send('DELETE', `/api/apikeys/${path}`, { headers: OPERATOR });

describe('an API key that was revoked', () => {
  it.each([
    ['by its id', ({ id }: { id: string }) => id],
    ['by the key itself', ({ key }: { key: string }) => `revoke?key=${key}`],
  ])('%s is none at once, and stays in the list', async (_how, pathOf) => {
    const made = await generate(app);
    expect((await work(app, made.key)).status).toBe(200);
    expect(await revoke(pathOf(made))).toMatchObject({ status: 200, body: { status: 'revoked' } });
    expect((await work(app, made.key)).status).toBe(401);
    expect((await listed(app)).find(({ id }) => id === made.id)).toMatchObject({ enabled: false });
    expect((await revoke(pathOf(made))).status).toBe(200);
  });

  it('is none on another replica within a second, where it was known', async () => {
    await using replica = await AuthApp.start({ controllers: [WorkProbe], env, database: app.database });
    const { key, id } = await generate(app);
    expect((await work(replica, key)).status).toBe(200);
    await revoke(id);
    await eventually(async () => expect((await work(replica, key)).status).toBe(401), ONE_SECOND);
  });

  it('lets no request in that it overtakes, between the look-up of the key and its limit', async () => {
    const { key, id } = await generate(app);
    const hits = app.get(HitCounter);
    const hit = hits.hit.bind(hits);
    let overtaken = false;
    hits.hit = async (...counted) => {
      if (!overtaken && counted[0] === `api-key:${id}`) {
        overtaken = true;
        await revoke(id);
      }
      return hit(...counted);
    };
    try {
      expect((await work(app, key)).status).toBe(401);
    } finally {
      hits.hit = hit;
    }
    expect(overtaken).toBe(true);
  });

  it('has to be one: an unknown id or key is 404, and the answer does not repeat it', async () => {
    const unknown = `slu_${'x'.repeat(43)}`;
    for (const path of [crypto.randomUUID(), `revoke?key=${unknown}`, 'revoke?key=nothing']) {
      const answer = await revoke(path);
      expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
      expect(JSON.stringify(answer.body)).not.toContain(unknown);
    }
    for (const path of [
      'nothing',
      'revoke',
      `revoke?key=${'x'.repeat(201)}`,
      `revoke?key=${unknown}&all=1`,
    ]) {
      const answer = await revoke(path);
      expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect(JSON.stringify(answer.body)).not.toContain(unknown);
    }
  });
});
