import { mannWhitneyP } from './mann-whitney.js';

/** What chance does on its own in one measurement of a hundred, it does in one of a million three times in a row. */
const MEASUREMENTS = 3;
const SIGNIFICANCE = 0.01;

/**
 * Whether an observer can tell two actions by their time: whether the samples of each of three measurements differ by
 * Mann–Whitney (p ≤ 0.01). The actions take turns, so that whatever else the machine does hits both alike.
 */
export async function tellable(
  samples: number,
  one: (i: number) => Promise<unknown>,
  other: (i: number) => Promise<unknown>,
): Promise<boolean> {
  for (let measurement = 0; measurement < MEASUREMENTS; measurement++) {
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < samples; i++) {
      // Who goes first changes: the second of a pair finds caches warm.
      for (const which of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const start = performance.now();
        await (which === 0 ? one : other)(measurement * samples + i);
        times[which].push(performance.now() - start);
      }
    }
    if (mannWhitneyP(...times) > SIGNIFICANCE) return false;
  }
  return true;
}
