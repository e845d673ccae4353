import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Heartbeat } from './heartbeat.js';

describe('Heartbeat', () => {
  let sent: string[];
  let events: string[];
  let heartbeat: Heartbeat;

  beforeEach(() => {
    jest.useFakeTimers();
    sent = [];
    events = [];
    heartbeat = new Heartbeat({
      send: async (payload) => {
        sent.push(payload);
      },
      onFresh: () => events.push(`fresh, told while fresh is ${heartbeat.fresh}`),
      onGivenUp: () => events.push('given up'),
    });
    heartbeat.start();
  });
  afterEach(() => {
    heartbeat.stop();
    jest.useRealTimers();
  });

  async function pass(ms: number, { echo }: { echo: boolean }): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await jest.advanceTimersByTimeAsync(50);
      if (echo) for (const each of sent.splice(0)) heartbeat.heard(each);
    }
  }

  it('is fresh from the first return on, and says so just before', async () => {
    expect(heartbeat.fresh).toBe(false);
    await pass(50, { echo: true });

    expect(heartbeat.fresh).toBe(true);
    expect(events).toEqual(['fresh, told while fresh is false']);
  });

  it('stays fresh as long as beats return', async () => {
    await pass(10_000, { echo: true });

    expect(heartbeat.fresh).toBe(true);
    expect(events).toHaveLength(1);
  });

  it('is not fresh 750 ms after the sending of the last beat heard', async () => {
    await pass(500, { echo: true });
    await pass(800, { echo: false });

    expect(heartbeat.fresh).toBe(false);
  });

  it('is not made fresh by a beat that comes late', async () => {
    await pass(2000, { echo: false });
    heartbeat.heard(sent[0] ?? '');

    expect(heartbeat.fresh).toBe(false);
    expect(events).not.toContain('fresh, told while fresh is false');
  });

  it('gives up after two seconds of silence', async () => {
    await pass(500, { echo: true });
    await pass(1500, { echo: false });
    expect(events).not.toContain('given up');
    await pass(1000, { echo: false });

    expect(events).toContain('given up');
  });

  it('has its return after a silence told again', async () => {
    await pass(500, { echo: true });
    await pass(1500, { echo: false });
    await pass(500, { echo: true });

    expect(events.slice(1)).toEqual(['fresh, told while fresh is false']);
  });

  it('does not take a standstill of its own process for a silence of the server', async () => {
    await pass(500, { echo: true });
    const awake = performance.now.bind(performance);
    const slept = jest.spyOn(performance, 'now').mockImplementation(() => awake() + 5000);
    await pass(250, { echo: true });
    slept.mockRestore();

    expect(events).toHaveLength(1);
  });
});
