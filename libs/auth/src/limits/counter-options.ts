/** For a limiter that only counts; its duration stands in each call. */
export const COUNTER_OPTIONS = {
  keyPrefix: 'hits',
  points: Number.MAX_SAFE_INTEGER,
  duration: 60,
} as const;
