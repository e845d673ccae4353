import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LoginStates } from '#auth';
import type { TestClock } from '../support/test-clock.js';

export interface LoginStatesUnderTest extends AsyncDisposable {
  readonly states: LoginStates;
  /** The same store as another replica has it. */
  readonly replica: LoginStates;
  readonly clock: TestClock;
  /** All that the store keeps, as whoever steals a dump of it would read it. */
  dump(): Promise<Buffer>;
}

const TTL_MS = 600_000;
const RECORD = JSON.stringify({ nonce: 'the-nonce', verifier: 'the-verifier', next: '/äöü' });

const newHash = (): string => randomBytes(32).toString('base64url');

/** What every store of {@link LoginStates} does, whatever keeps them. */
export function loginStatesContract(name: string, start: () => Promise<LoginStatesUnderTest>): void {
  describe(`sign-ins under way in ${name}`, () => {
    let under: LoginStatesUnderTest;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(async () => {
      await under[Symbol.asyncDispose]();
    });

    async function put(record = RECORD): Promise<string> {
      const hash = newHash();
      await under.states.put(hash, record, TTL_MS);
      return hash;
    }

    it('gives a record once, on any replica', async () => {
      const hash = await put();
      expect(await under.replica.take(hash)).toBe(RECORD);
      expect(await under.states.take(hash)).toBeNull();
      expect(await under.replica.take(hash)).toBeNull();
    });

    it('gives it to one of many callers at once', async () => {
      const hash = await put();
      const taken = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? under.states : under.replica).take(hash)),
      );
      expect(taken.filter((record) => record !== null)).toEqual([RECORD]);
    });

    it('keeps several apart: two tabs sign in at once', async () => {
      const [one, two] = [await put('one'), await put('two')];
      expect(await under.states.take(two)).toBe('two');
      expect(await under.states.take(one)).toBe('one');
    });

    it('gives none that has expired', async () => {
      const [just, late] = [await put(), await put()];
      under.clock.advance(TTL_MS - 1);
      expect(await under.states.take(just)).toBe(RECORD);
      under.clock.advance(1);
      expect(await under.states.take(late)).toBeNull();
    });

    it.each(['', 'x', 'A'.repeat(43), '*', "'; --", 'ü'.repeat(43)])('knows nothing of %j', async (hash) => {
      expect(await under.states.take(hash)).toBeNull();
    });

    it('keeps no record in clear', async () => {
      await put();
      const dump = await under.dump();
      expect(dump.length).toBeGreaterThan(0);
      expect(dump.includes('the-verifier')).toBe(false);
      expect(dump.includes('the-nonce')).toBe(false);
    });

    it('sweeps what has expired and nothing else', async () => {
      await put();
      under.clock.advance(TTL_MS - 1);
      const live = await put();
      under.clock.advance(1);
      await under.states.sweep();
      expect(await under.states.sweep()).toBe(0);
      expect(await under.states.take(live)).toBe(RECORD);
    });
  });
}
