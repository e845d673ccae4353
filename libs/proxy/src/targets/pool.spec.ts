import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ProxyError } from '#common';
import { TestClock } from '../../../../test/support/test-clock.js';
import { Backend } from './backend.js';
import { Pool } from './pool.js';
import { upstreamOf } from './upstream.js';

const SECOND = 1000;

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(true));

let clock: TestClock;
let pool: Pool;
let backends: [Backend, Backend, Backend];

beforeEach(() => {
  clock = new TestClock();
  pool = new Pool('jobs', clock);
  backends = [backendAt(1), backendAt(2), backendAt(3)];
  pool.replace(backends);
});

const backendAt = (port: number) => new Backend(`http://10.0.0.5:${port}`, '/health', clock);

/** How often each backend is picked, by its place. */
function shares(picks: number, among: readonly Backend[] = backends): number[] {
  const counts = among.map(() => 0);
  for (let i = 0; i < picks; i += 1) {
    const place = among.indexOf(picked());
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

function picked(): Backend {
  const upstream = pool.pick();
  if (!(upstream instanceof Backend)) throw upstream;
  return upstream;
}

/** What is answered where nothing can be picked. */
function refusal(): ProxyError {
  const error = pool.pick();
  if (!(error instanceof ProxyError)) throw new Error('there is a healthy backend');
  return error;
}

describe('a pool', () => {
  it('shares 30,000 requests evenly among three backends', () => {
    for (const share of shares(30_000)) expect(Math.abs(share - 10_000)).toBeLessThanOrEqual(1);
  });

  it('shares evenly among those that stay when one is taken out, and gives it its share when it is back', () => {
    const [, killed] = backends;
    picked();
    killed.probed({ up: false, reason: 'HTTP 500' });
    expect(shares(1000)).toEqual([500, 0, 500]);
    killed.probed({ up: true, latencyMs: 1 });
    for (const share of shares(30_000)) expect(Math.abs(share - 10_000)).toBeLessThanOrEqual(1);
  });

  it('does not give the share of one that is out to its neighbour', () => {
    const four = [...backends, backendAt(4)];
    pool.replace(four);
    four[1]?.probed({ up: false, reason: 'HTTP 500' });
    expect(shares(3000, four)).toEqual([1000, 0, 1000, 1000]);
  });

  it('takes backends for healthy that no probe has seen yet', () => {
    expect(new Set([picked(), picked(), picked()])).toEqual(new Set(backends));
  });

  it('leaves out one that can not be reached at once, for ten seconds', () => {
    const [, gone] = backends;
    pool.report(gone, 'unreachable');
    expect(shares(1000)).toEqual([500, 0, 500]);
    clock.advance(10 * SECOND - 1);
    expect(shares(1000)).toEqual([500, 0, 500]);
    clock.advance(1);
    for (const share of shares(30_000)) expect(Math.abs(share - 10_000)).toBeLessThanOrEqual(1);
  });

  it('says when to come back where none is healthy', () => {
    pool.report(backends[0], 'unreachable');
    clock.advance(4 * SECOND);
    pool.report(backends[1], 'unreachable');
    backends[2].probed({ up: false, reason: 'HTTP 503' });
    const error = refusal();
    expect(error).toMatchObject({ code: 'NO_HEALTHY_BACKEND', retryAfterSeconds: 6 });
    expect(error.message).toContain('jobs');
  });

  it.each(['broken', 'timed-out'] as const)(
    'keeps its last backend, however often requests are %s',
    (outcome) => {
      for (const backend of backends) for (let i = 0; i < 5; i += 1) pool.report(backend, outcome);
      expect(pool.healthyCount).toBe(1);
      expect(picked()).toBe(backends[2]);
      pool.report(backends[2], 'unreachable');
      expect(refusal().code).toBe('NO_HEALTHY_BACKEND');
    },
  );

  it('is no use while it is empty, and is filled later', () => {
    const empty = new Pool('empty', clock);
    expect(empty.pick()).toMatchObject({ code: 'NO_HEALTHY_BACKEND', retryAfterSeconds: 10 });
    expect(empty.another(upstreamOf('http://10.0.0.5:1'))).toBeNull();
    empty.replace(backends);
    expect(empty.pick()).toBe(backends[0]);
  });

  it('goes on in turn when it becomes smaller', () => {
    picked();
    picked();
    pool.replace(backends.slice(0, 1));
    expect(picked()).toBe(backends[0]);
  });

  it('gives another healthy backend for a request that failed, or none', () => {
    const [failed, out, last] = backends;
    out.probed({ up: false, reason: 'HTTP 500' });
    for (let i = 0; i < 10; i += 1) expect(pool.another(failed)).toBe(last);
    pool.report(last, 'unreachable');
    expect(pool.another(failed)).toBeNull();
  });

  it('counts the healthy ones', () => {
    expect(pool.healthyCount).toBe(3);
    pool.report(backends[0], 'unreachable');
    backends[1].probed({ up: false, reason: 'HTTP 500' });
    expect(pool.healthyCount).toBe(1);
  });

  it('is not moved by what is said of others', () => {
    pool.report(upstreamOf('http://10.0.0.5:1'), 'unreachable');
    expect(pool.healthyCount).toBe(3);
  });
});
