/** When most customers sleep, and most time is left before the next day's mails. */
const HOUR_UTC = 3;
const DAY_MS = 24 * 3_600_000;

/** The last time that the nightly work should have begun. */
export function lastNight(nowMs: number): number {
  const today = new Date(nowMs).setUTCHours(HOUR_UTC, 0, 0, 0);
  return today <= nowMs ? today : today - DAY_MS;
}
