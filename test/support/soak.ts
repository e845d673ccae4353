/**
 * A figure of a heavy test: `full` under `npm run test:soak`, `quick` in every other run. The test is the same; only
 * its size differs.
 */
export function soak(full: number, quick: number): number {
  return process.env['SOAK'] === '1' ? full : quick;
}
