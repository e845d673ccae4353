import { describe, expect, it } from '@jest/globals';
import { TestClock } from '../../../../test/support/test-clock.js';
import { Backends, canonicalUrl } from './backends.js';

const [A, B, C] = ['http://a', 'http://b', 'http://c'];

describe('the watched backends', () => {
  it('keep their state when others come and go', () => {
    const backends = new Backends(new TestClock());
    const [a] = backends.replace(
      new Map([
        [A, '/health'],
        [B, '/health'],
      ]),
    );
    a?.probed({ up: false, reason: 'HTTP 500' });

    const toProbe = backends.replace(
      new Map([
        [C, '/health'],
        [A, '/health'],
      ]),
    );
    expect(toProbe.map(({ url }) => url)).toEqual([C]);
    expect(backends.get(A)).toBe(a);
    expect(backends.get(A)?.state.status).toBe('down');
    expect(backends.get(B)).toBeUndefined();
    expect(backends.all.map(({ url }) => url)).toEqual([C, A]);
  });

  it('are to be probed when something else is asked of them, and stay what they are until then', () => {
    const backends = new Backends(new TestClock());
    const [a] = backends.replace(new Map([[A, '/health']]));
    a?.probed({ up: true, latencyMs: 1 });
    expect(backends.replace(new Map([[A, '/ready']]))).toEqual([a]);
    expect(a).toMatchObject({ healthPath: '/ready', healthy: true });
  });

  it('are forgotten with what was known of them', () => {
    const backends = new Backends(new TestClock());
    backends.replace(new Map([[A, '']]))[0]?.report('unreachable');
    backends.replace(new Map());
    backends.replace(new Map([[A, '']]));
    expect(backends.get(A)?.healthy).toBe(true);
  });
});

describe('the URL of a backend', () => {
  it.each([
    ['http://Host:80/', 'http://host'],
    ['https://host:443/base//', 'https://host/base'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['http://127.1:8080/a/../b', 'http://127.0.0.1:8080/b'],
  ])('%s is written as %s', (url, canonical) => {
    expect(canonicalUrl(url)).toBe(canonical);
  });
});
