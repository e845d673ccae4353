import { describe, expect, it } from '@jest/globals';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { HitCounter } from '#auth';
import { SystemClock } from '#common';
import { RouteLimiter } from './route-limiter.js';

const TWO_A_MINUTE = { requests: 2, windowSeconds: 60 };

/** A shared counter as Redis would be, in this process. */
function shared(): HitCounter {
  return new HitCounter(new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 }));
}

/** One that never answers. */
class Silent extends RateLimiterMemory {
  override penalty(): Promise<RateLimiterRes> {
    return new Promise(() => undefined);
  }
}

/** As Redis is with a limiter that stands in for it while it is away. */
class Interrupted extends RateLimiterMemory {
  away = false;
  private readonly insurance = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 });

  override penalty(...args: Parameters<RateLimiterMemory['penalty']>): Promise<RateLimiterRes> {
    return this.away ? this.insurance.penalty(...args) : super.penalty(...args);
  }
}

function limiter(counter: HitCounter | null): RouteLimiter {
  return new RouteLimiter(counter, new SystemClock());
}

async function verdict(one: RouteLimiter, key = 'a'): Promise<string> {
  return one.admit(key, TWO_A_MINUTE).then(
    () => 'passes',
    (error: { code: string }) => error.code,
  );
}

describe('the rate limits of routes', () => {
  it('count each client by itself', async () => {
    const one = limiter(null);
    expect([await verdict(one), await verdict(one), await verdict(one)]).toEqual([
      'passes',
      'passes',
      'RATE_LIMITED',
    ]);
    expect(await verdict(one, 'b')).toBe('passes');
  });

  it('add what other replicas have told', async () => {
    const counter = shared();
    const [here, there] = [limiter(counter), limiter(counter)];
    await verdict(here);
    await verdict(there);
    await here.sync();
    await there.sync();
    expect(await verdict(there)).toBe('RATE_LIMITED');
    // Here nobody has heard of the other's yet.
    expect(await verdict(here)).toBe('passes');
    await here.sync();
    expect(await verdict(here)).toBe('RATE_LIMITED');
  });

  it('never tell the same request twice', async () => {
    const counter = shared();
    const [here, there] = [limiter(counter), limiter(counter)];
    await verdict(here);
    for (let i = 0; i < 5; i++) await here.sync();
    await verdict(there);
    await there.sync();
    expect((await counter.hit('route:60:a', 60, 0)).count).toBe(2);
  });

  it('wait for no counter: a request is decided on while Redis says nothing', async () => {
    const one = limiter(new HitCounter(new Silent({ points: 1, duration: 1 })));
    void one.sync();
    expect([await verdict(one), await verdict(one), await verdict(one)]).toEqual([
      'passes',
      'passes',
      'RATE_LIMITED',
    ]);
  });

  it('begin anew where a limit becomes one over another time', async () => {
    const one = limiter(null);
    for (let i = 0; i < 5; i++) await one.admit('a', { requests: 1000, windowSeconds: 86_400 });
    expect(await verdict(one)).toBe('passes');
  });

  it('count nothing twice after Redis was away', async () => {
    const counter = new Interrupted({ points: Number.MAX_SAFE_INTEGER, duration: 60 });
    const one = limiter(new HitCounter(counter));
    const plenty = { requests: 100, windowSeconds: 60 };
    const ask = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await one.admit('a', plenty);
      await one.sync();
    };
    await ask(40);
    counter.away = true;
    await ask(10);
    counter.away = false;
    await ask(5);
    await ask(45);
    await expect(one.admit('a', plenty)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });
});
