import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, AuthApp } from '../support/auth-app.js';

const WRONG = 2000;

/** The kernel keeps 511 connections that were not accepted yet, and resets those beyond: the others wait here. */
const agent = new Agent({ keepAlive: true, maxSockets: 400 });

interface Outcome {
  readonly status: number | undefined;
  readonly code: string;
  readonly retryAfter: string | undefined;
}

/** Hashing is the dearest thing that anybody can have us do. */
describe('a flood of wrong sign-ins', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start({ env: { TRUST_PROXY: '127.0.0.1' }, limits: { perAddress: 60 } });
  });
  afterAll(async () => {
    agent.destroy();
    await app[Symbol.asyncDispose]();
  });

  /** A try of one of many clients, each in a network of its own. */
  async function wrongLogin(i: number): Promise<Outcome> {
    const body = JSON.stringify({ email: `user-${i}@example.com`, password: 'wrong password' });
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': `10.${i >> 8}.${i & 255}.1` };
    const sent = request(`${app.url}/auth/login`, { method: 'POST', agent, headers }).end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const { code } = (await json(answer)) as { code: string };
    return { status: answer.statusCode, code, retryAfter: answer.headers['retry-after'] };
  }

  /** As a page would, had it the patience: again after `Retry-After`, while there is too much to do. */
  async function patientLogin(email: string): Promise<Answer> {
    for (;;) {
      const answer = await app.login(email, undefined, { 'x-forwarded-for': '203.0.113.7' });
      if (answer.status !== 429) return answer;
      expect(answer.body).toMatchObject({ code: 'LOGIN_BUSY' });
      await delay(Number(answer.headers.get('retry-after')) * 1000);
    }
  }

  it('is turned away beyond a bound, and does not keep a right one out', async () => {
    const { email } = await app.register();
    const flood = Promise.all(Array.from({ length: WRONG }, (_, i) => wrongLogin(i)));
    expect((await patientLogin(email)).status).toBe(200);
    const outcomes = Map.groupBy(
      await flood,
      ({ status, code, retryAfter }) => `${status} ${code} ${retryAfter}`,
    );
    expect(new Set(outcomes.keys())).toEqual(
      new Set(['401 INVALID_CREDENTIALS undefined', '429 LOGIN_BUSY 2']),
    );
  }, 60_000);
});
