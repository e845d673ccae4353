import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RuntimeUnavailableError } from '../runtimes/errors.js';
import { SliceReach } from './slice-reach.js';

describe('the reach of a slice', () => {
  let reach: SliceReach;
  let asked: number[];
  let answer: () => Promise<void>;
  let announce: (payload: string) => void;
  let restore: () => void;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    asked = [];
    answer = () => Promise.resolve();
    const runtime = {
      reach: (sliceId: number) => {
        asked.push(sliceId);
        return answer();
      },
    };
    const control = {
      listen: (_: string, handler: (payload: string) => void) => {
        announce = handler;
        return Promise.resolve(() => undefined);
      },
      onRestored: (callback: () => void) => {
        restore = callback;
        return () => true;
      },
    };
    reach = new SliceReach(runtime, control);
    await reach.onModuleInit();
  });

  it('is seen to once for each generation, however many ask at once', async () => {
    await Promise.all([reach.ensure(1, 1), reach.ensure(1, 1), reach.ensure(2, 1)]);
    await reach.ensure(1, 1);
    expect(asked).toEqual([1, 2]);
    await reach.ensure(1, 2);
    expect(asked).toEqual([1, 2, 1]);
  });

  it('is seen to again when the slice has changed, or a change may have been missed', async () => {
    await reach.ensure(1, 1);
    announce('2::');
    await reach.ensure(1, 1);
    expect(asked).toEqual([1]);
    announce('1:owner:');
    await reach.ensure(1, 1);
    restore();
    await reach.ensure(1, 1);
    expect(asked).toEqual([1, 1, 1]);
  });

  it('does not fail a look-up while the engine is down, and is tried again at the next', async () => {
    answer = () => Promise.reject(new RuntimeUnavailableError('down'));
    await Promise.all([reach.ensure(1, 1), reach.ensure(1, 1)]);
    expect(asked).toEqual([1]);
    await reach.ensure(1, 1);
    expect(asked).toEqual([1, 1]);
  });

  it('holds a look-up up for two seconds at the most, once, while the engine hangs', async () => {
    const { promise: engine, resolve } = Promise.withResolvers<void>();
    answer = () => engine;
    const begun = performance.now();
    await reach.ensure(1, 1);
    expect(performance.now() - begun).toBeLessThan(4000);
    const again = performance.now();
    await reach.ensure(1, 1);
    expect(performance.now() - again).toBeLessThan(1000);
    expect(asked).toEqual([1]);
    resolve();
  });
});
