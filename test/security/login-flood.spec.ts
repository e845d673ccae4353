import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, AuthApp } from '../support/auth-app.js';
import { eventually } from '../support/eventually.js';

/** At the least. */
const WRONG = 2000;
/** At once: four times what may wait. The kernel resets connections beyond 511 that were not accepted yet. */
const CLIENTS = 400;
/** Each from a network of its own; one alone might be lucky. */
const RIGHT = 6;
/** That the flood has at its disposal. */
const NETWORKS = 100;

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

interface Outcome {
  readonly status: number | undefined;
  readonly code: string;
  readonly retryAfter: string | undefined;
}

/** Hashing is the dearest thing that anybody can have us do. */
describe('a flood of wrong sign-ins', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start({ realPasswords: true, env: { TRUST_PROXY: '127.0.0.1' } });
  });
  afterAll(async () => {
    agent.destroy();
    await app[Symbol.asyncDispose]();
  });

  /** A try, at an account of its own, out of one of the networks. */
  async function wrongLogin(i: number, network: number): Promise<Outcome> {
    const body = JSON.stringify({ email: `user-${i}@example.com`, password: 'wrong password' });
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': `10.0.${network}.1` };
    const sent = request(`${app.url}/auth/login`, { method: 'POST', agent, headers }).end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const { code } = (await json(answer)) as { code: string };
    return { status: answer.statusCode, code, retryAfter: answer.headers['retry-after'] };
  }

  /**
   * As a page would: again after `Retry-After`, while there is too much to do, so many times at the most. That can be
   * 503 as well: the flood's clients run in this process, and starve it of time for the database on a busy machine.
   */
  async function patientLogin(email: string, ip: string, attempts: number): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await app.login(email, undefined, { 'x-forwarded-for': ip });
      if (![429, 503].includes(answer.status) || attempt === attempts) return answer;
      await delay(Number(answer.headers.get('retry-after') ?? 1) * 1000);
    }
  }

  it('is turned away beyond a bound, and keeps no right one out while it lasts', async () => {
    const emails: string[] = [];
    for (let i = 0; i < RIGHT; i++) emails.push((await app.register()).email);
    const outcomes: Outcome[] = [];
    const heard = new Set<number>();
    let tries = 0;
    const isIn = new AbortController();
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!isIn.signal.aborted || tries < WRONG) {
        const network = tries++ % NETWORKS;
        const outcome = await wrongLogin(tries, network);
        outcomes.push(outcome);
        if (outcome.status === 401) heard.add(network);
      }
    });
    await eventually(async () => expect(heard.size).toBe(NETWORKS), 40_000);
    const before = outcomes.length;
    const right = await Promise.all(emails.map((email, i) => patientLogin(email, `203.0.${i}.7`, 3)));
    expect(right.map(({ status }) => status)).toEqual(emails.map(() => 200));
    // Nothing had come to an end by then.
    expect(outcomes.slice(before).some(({ status }) => status === 429)).toBe(true);
    isIn.abort();
    await Promise.all(clients);
    const kinds = new Set(outcomes.map(({ status, code, retryAfter }) => `${status} ${code} ${retryAfter}`));
    // As for the right ones: this process has 400 clients to run beside the gateway, and may keep the database waiting.
    kinds.delete('503 DATABASE_UNAVAILABLE 1');
    expect(kinds).toEqual(new Set(['401 INVALID_CREDENTIALS undefined', '429 LOGIN_BUSY 2']));
  }, 90_000);
});
