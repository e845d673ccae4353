import type { Notice } from '#common';

/** How something is that can have an outage, as one pass has seen it. */
export interface Condition {
  /** As in the table `outage`. */
  readonly subject: string;
  readonly state: 'bad' | 'well';
  /** Of a bad one: since when, where that is known better than by this pass. */
  readonly since?: Date;
  /** Of a bad one: what is wrong, for the operator. */
  readonly reason?: string;
  /** The operator is told when it has lasted for so long, where that is sooner than NOTIFY_AFTER_HOURS; 0: at once. */
  readonly tellAfterMs?: number;
  /** An outage ends when it was well for so long; 0: at once. */
  readonly settleMs?: number;
  readonly texts: OutageTexts;
}

/** How an outage is told of. Durations are in words. */
export interface OutageTexts {
  began(reason: string, lasts: string): Notice;
  ended(lasted: string): Notice;
}

/** `7 h 5 min`, `3 d 2 h`, `40 s`: as exact as anybody wants to know. */
export function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: ReadonlyArray<readonly [number, string]> = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
