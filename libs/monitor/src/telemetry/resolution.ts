/** Contract §9. */
export const SHORTEST_HOURS = 1;
export const LONGEST_HOURS = 168;
const MOST_POINTS = 1000;

/** Widths of the roll-ups; each is a multiple of the one before, and the last leaves a week at 672 points. */
export const ROLLUP_SECONDS = [300, 900] as const;

/** Of a series that is read from the samples themselves. */
const FINEST_SECONDS = 60;

const STEPS: readonly number[] = [FINEST_SECONDS, ...ROLLUP_SECONDS];
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

/** The finest steps that leave at most 1,000 points; the last one of them is the one under way. */
export function resolutionFor(hours: number, nowMs: number): Resolution {
  const spanSeconds = (hours * HOUR_MS) / 1000;
  const stepSeconds = STEPS.find((step) => spanSeconds / step <= MOST_POINTS) ?? ROLLUP_SECONDS[1];
  // Behind the step that the span begins in: that one would only be told of in part.
  const from = new Date(stepBefore(nowMs - hours * HOUR_MS, stepSeconds).getTime() + stepSeconds * 1000);
  return { stepSeconds, from, to: new Date(nowMs), fine: stepSeconds === FINEST_SECONDS };
}

/** When the step began that a moment lies in. Every replica counts them from the same moment. */
export function stepBefore(ms: number, stepSeconds: number): Date {
  const stepMs = stepSeconds * 1000;
  return new Date(Math.floor(ms / stepMs) * stepMs);
}
