import { describe, expect, it } from '@jest/globals';
import { TestClock } from '../../../../test/support/test-clock.js';
import { Backends } from './backends.js';
import { SingleTarget } from './single-target.js';
import { upstreamOf } from './upstream.js';

const URL = 'http://10.0.0.5:8080/base';

describe('the target at an URL', () => {
  it('is its server, and has no other', () => {
    const target = new SingleTarget(`${URL}/`, new Backends(new TestClock()));
    expect(target.pick()).toEqual(upstreamOf(URL));
    expect(target.another()).toBeNull();
  });

  it('is asked even where its probes fail, and tells the pools that have it as well', () => {
    const backends = new Backends(new TestClock());
    const [backend] = backends.replace(new Map([[URL, '']]));
    const target = new SingleTarget(URL, backends);
    backend?.probed({ up: false, reason: 'HTTP 404' });
    expect(target.pick()).toEqual(upstreamOf(URL));

    backend?.probed({ up: true, latencyMs: 1 });
    target.report(upstreamOf(URL), 'unreachable');
    expect(backend?.healthy).toBe(false);
    expect(target.pick()).toEqual(upstreamOf(URL));
  });

  it('that is not set says so', () => {
    const target = new SingleTarget(null, new Backends(new TestClock()));
    expect(target.pick()).toMatchObject({ code: 'MISSING_TARGET' });
    target.report(upstreamOf(URL), 'unreachable');
  });
});
