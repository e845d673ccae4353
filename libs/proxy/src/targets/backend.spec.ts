import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from '../../../../test/support/test-clock.js';
import { Backend } from './backend.js';

const SECOND = 1000;

let clock: TestClock;
let backend: Backend;

beforeEach(() => {
  clock = new TestClock();
  backend = new Backend('http://10.0.0.5:8080/base', '/health', clock);
});

/** Ejects it, and gives how long that lasts. */
function ejection(): number {
  expect(backend.report('unreachable')).toBe(true);
  const from = clock.nowMs();
  while (!backend.healthy) clock.advance(SECOND);
  return (clock.nowMs() - from) / SECOND;
}

describe('a backend', () => {
  it('is an upstream with the path of its URL, and is probed below it', () => {
    expect(backend).toMatchObject({
      origin: 'http://10.0.0.5:8080',
      host: '10.0.0.5',
      port: 8080,
      tls: false,
      authority: '10.0.0.5:8080',
      basePath: '/base',
      probeUrl: 'http://10.0.0.5:8080/base/health',
    });
  });

  it.each(['broken', 'timed-out'] as const)(
    'is ejected when requests end as %s three times in a row',
    (end) => {
      expect([backend.report(end), backend.report(end)]).toEqual([false, false]);
      backend.report('answered');
      expect([backend.report(end), backend.report(end)]).toEqual([false, false]);
      expect(backend.healthy).toBe(true);
      expect(backend.report(end)).toBe(true);
      expect(backend.healthy).toBe(false);
    },
  );

  it('stays out longer each time it was let in for nothing, a minute at the most', () => {
    expect([ejection(), ejection(), ejection(), ejection(), ejection()]).toEqual([10, 20, 40, 60, 60]);
    backend.report('answered');
    expect(ejection()).toBe(10);
    backend.probed({ up: true, latencyMs: 3 });
    expect(ejection()).toBe(10);
  });

  it('is ejected once by all the requests that fail together', () => {
    for (let i = 0; i < 50; i += 1) backend.report('unreachable');
    clock.advance(10 * SECOND);
    expect(backend.healthy).toBe(true);
  });

  it.each([
    ['an answer', () => backend.report('answered')],
    ['a probe that finds it up', () => backend.probed({ up: true, latencyMs: 3 })],
  ])('is let in by %s', (_what, letIn) => {
    backend.report('unreachable');
    expect(backend.healthy).toBe(false);
    letIn();
    expect(backend.healthy).toBe(true);
  });

  it('that a probe found down is let in by nothing but a probe', () => {
    backend.probed({ up: false, reason: 'HTTP 503' });
    backend.report('answered');
    clock.advance(3_600 * SECOND);
    expect(backend).toMatchObject({ healthy: false, backAt: null });
    backend.probed({ up: true, latencyMs: 3 });
    expect(backend.healthy).toBe(true);
  });

  it('knows its times', () => {
    const unknown = {
      lastUp: null,
      firstDownAt: null,
      notifiedDown: false,
      lastCheck: null,
      latencyMs: null,
    };
    expect(backend.state).toEqual({ ...unknown, status: 'unknown' });

    const up = clock.nowMs();
    backend.probed({ up: true, latencyMs: 45 });
    expect(backend.state).toEqual({ ...unknown, status: 'up', lastUp: up, lastCheck: up, latencyMs: 45 });

    clock.advance(60 * SECOND);
    const down = clock.nowMs();
    backend.probed({ up: false, reason: 'HTTP 500' });
    expect(backend.state).toEqual({
      ...unknown,
      status: 'down',
      lastUp: up,
      firstDownAt: down,
      lastCheck: down,
    });

    clock.advance(60 * SECOND);
    backend.probed({ up: false, reason: 'HTTP 500' });
    expect(backend.state).toMatchObject({ firstDownAt: down, lastCheck: clock.nowMs() });

    backend.probed({ up: true, latencyMs: 4 });
    expect(backend.state).toMatchObject({ status: 'up', firstDownAt: null, lastUp: clock.nowMs() });
  });
});
