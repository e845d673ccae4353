/** Contract §9. */
export const SHORTEST_HOURS = 1;
export const LONGEST_HOURS = 168;
const MOST_POINTS = 1000;

/** Width of a roll-up. */
export const ROLLUP_SECONDS = 300;

const HOUR_MS = 3_600_000;

/** Where a series is read from, and how it is put together. */
export interface Resolution {
  /** From one point to the next. */
  readonly stepSeconds: number;
  readonly from: Date;
  readonly to: Date;
  /** Whether the single samples are read, instead of the roll-ups. */
  readonly fine: boolean;
}

/** All steps divide a day and are multiples of the one before, so that points of one answer meet those of the next. */
const STEPS = [60, ROLLUP_SECONDS, 900] as const;

/** The finest steps that leave at most 1,000 points; the last one of them is the one under way. */
export function resolutionFor(hours: number, nowMs: number): Resolution {
  const spanSeconds = (hours * HOUR_MS) / 1000;
  const stepSeconds =
    STEPS.find((step) => spanSeconds / step < MOST_POINTS) ?? STEPS[STEPS.length - 1] ?? 900;
  const stepMs = stepSeconds * 1000;
  // From the beginning of a step: else the first point would be of a part of one.
  const from = new Date(Math.floor((nowMs - hours * HOUR_MS) / stepMs) * stepMs + stepMs);
  return { stepSeconds, from, to: new Date(nowMs), fine: stepSeconds < ROLLUP_SECONDS };
}
