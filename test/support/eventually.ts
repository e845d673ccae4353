import { setTimeout as delay } from 'node:timers/promises';

/**
 * Repeats a look at the world until it no longer throws, and gives what it gave. For what happens in another process,
 * which has no event to wait for.
 * @throws the last look's error after `timeoutMs`
 */
export async function eventually<T>(look: () => Promise<T>, timeoutMs = 10_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(25);
    }
  }
}
