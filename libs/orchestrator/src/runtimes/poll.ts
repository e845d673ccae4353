import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 20;

/**
 * Asks until the answer is true or `timeoutMs` have passed, for what nobody tells us of (the end of a process that is
 * not our child). Measures by the monotonic clock: a wait must not depend on the time of day.
 * @returns whether it became true
 */
export async function pollUntil(condition: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await delay(Math.min(INTERVAL_MS, left));
  }
}
