import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PortTakenError } from '../runtimes/errors.js';
import { Reconciler } from './reconciler.js';

/** The world of one slice, whose lock is lost while the runtime is at work on it. */
function worldOf(desiredState: string, lost: AbortController, done: string[]): Reconciler {
  const slice = { id: 7, generation: 1, observedGeneration: 0, status: 'provisioning', desiredState };
  const note = (what: string) => () => Promise.resolve(void done.push(what));
  const fails = (error: Error) => () => {
    lost.abort(new Error('the lock is lost'));
    return Promise.reject(error);
  };
  const slices = {
    find: () => Promise.resolve(slice),
    observe: (...[, , seen]: [number, number, object]) => {
      done.push(`observe ${Object.keys(seen).join()}`);
      return Promise.resolve(true);
    },
  };
  const runtime = {
    inspect: () => Promise.resolve(null),
    start: fails(new PortTakenError(5001)),
    stop: () => Promise.resolve(lost.abort(new Error('the lock is lost'))),
    removeData: note('remove data'),
  };
  const collaborators = [
    slices,
    runtime,
    { ensure: () => Promise.resolve({}), drop: note('drop') },
    { hold: () => Promise.resolve(5001), release: note('release port') },
    { of: () => ({}) },
    { openDatabasePassword: () => 'x' },
    { tryLock: () => Promise.resolve({ signal: lost.signal, release: () => Promise.resolve() }) },
    { transaction: note('tombstone') },
    {},
    { slices: { network: null } },
    {
      run: (...[, , work]: [unknown, unknown, () => unknown]) => work(),
      failed: () => undefined,
      became: () => undefined,
    },
  ];
  return Reflect.construct(Reconciler, collaborators);
}

describe('a pass that loses the slice’s lock', () => {
  let done: string[];

  beforeEach(() => {
    Logger.overrideLogger(false);
    done = [];
  });

  it('does not give the slice’s port away, on which another replica may run it', async () => {
    await expect(worldOf('running', new AbortController(), done).reconcile(7)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    expect(done).toEqual(['observe status']);
  });

  it('does not write that the slice is stopped', async () => {
    await expect(worldOf('stopped', new AbortController(), done).reconcile(7)).rejects.toThrow();
    expect(done).toEqual([]);
  });

  it('removes nothing any more', async () => {
    await expect(worldOf('absent', new AbortController(), done).reconcile(7)).rejects.toThrow();
    expect(done).toEqual(['observe status']);
  });
});
