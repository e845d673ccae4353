import { describe, expect, it } from '@jest/globals';
import { LocalMutexes } from './local-mutexes.js';

describe('LocalMutexes', () => {
  it('lets one in, and the others in the order of their coming', async () => {
    const mutexes = new LocalMutexes();
    const order: string[] = [];
    await mutexes.enter('key');
    const line = ['first', 'second'].map((who) => mutexes.enter('key').then(() => order.push(who)));
    mutexes.leave('key');
    await line[0];
    mutexes.leave('key');
    await line[1];

    expect(order).toEqual(['first', 'second']);
  });

  it('lets nobody pass those who wait', async () => {
    const mutexes = new LocalMutexes();
    mutexes.tryEnter('key');
    const waiting = mutexes.enter('key');
    mutexes.leave('key');

    expect(mutexes.tryEnter('key')).toBe(false);
    await waiting;
    mutexes.leave('key');
    expect(mutexes.tryEnter('key')).toBe(true);
  });

  it('keeps keys apart', () => {
    const mutexes = new LocalMutexes();

    expect([mutexes.tryEnter('one'), mutexes.tryEnter('other')]).toEqual([true, true]);
  });

  it('passes over who gave up', async () => {
    const mutexes = new LocalMutexes();
    const giveUp = new AbortController();
    mutexes.tryEnter('key');
    const impatient = mutexes.enter('key', giveUp.signal);
    const patient = mutexes.enter('key');
    giveUp.abort(new Error('enough'));
    mutexes.leave('key');

    await expect(impatient).rejects.toThrow('enough');
    await expect(patient).resolves.toBeUndefined();
    await expect(mutexes.enter('free', giveUp.signal)).rejects.toThrow('enough');
    expect(mutexes.tryEnter('free')).toBe(true);
  });
});
