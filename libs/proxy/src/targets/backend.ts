import { assertNever, type Clock } from '#common';
import type { ProbeResult } from './probe.js';
import type { UpstreamOutcome } from './target.js';
import { type Upstream, upstreamOf } from './upstream.js';

/** What the probes have found out about a backend. Times are in milliseconds since the epoch. */
export interface BackendState {
  /** `unknown` until the first probe is back; it counts as healthy until then. */
  readonly status: 'up' | 'down' | 'unknown';
  readonly lastUp: number | null;
  /** When the downtime began that still lasts. */
  readonly firstDownAt: number | null;
  /** Whether somebody was told of that downtime. */
  readonly notifiedDown: boolean;
  readonly lastCheck: number | null;
  /** Of the last probe, where it found the backend up. */
  readonly latencyMs: number | null;
}

const NEVER_PROBED: Omit<BackendState, 'notifiedDown'> = {
  status: 'unknown',
  lastUp: null,
  firstDownAt: null,
  lastCheck: null,
  latencyMs: null,
};

const FIRST_EJECTION_MS = 10_000;
const LONGEST_EJECTION_MS = 60_000;

/** A server that answers nothing once may be restarting; one that does so three times in a row is broken. */
const FAILURES_TO_EJECT = 3;

/**
 * One server of a pool, and what is known of its health: by probes, and by what became of the requests sent to it. The
 * probes' word holds until the next one; what requests told only takes it out of the rotation for a while.
 */
export class Backend implements Upstream {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly authority: string;
  readonly basePath: string;

  /** What is asked of it, after the path of its URL; empty for the URL itself. */
  healthPath: string;

  /** Whether the operator was told of the downtime, if there is one. */
  told = false;

  private current = NEVER_PROBED;
  private failuresInARow = 0;
  private ejectionsInARow = 0;
  /** 0: it is not ejected. */
  private ejectedUntil = 0;

  /** @param url as {@link canonicalUrl} writes it */
  constructor(
    readonly url: string,
    healthPath: string,
    private readonly clock: Clock,
  ) {
    const upstream = upstreamOf(url);
    this.origin = upstream.origin;
    this.host = upstream.host;
    this.port = upstream.port;
    this.tls = upstream.tls;
    this.authority = upstream.authority;
    this.basePath = upstream.basePath;
    this.healthPath = healthPath;
  }

  get state(): BackendState {
    return { ...this.current, notifiedDown: this.told && this.current.status === 'down' };
  }

  get probeUrl(): string {
    return this.url + this.healthPath;
  }

  /** Whether requests are sent to it now. */
  get healthy(): boolean {
    if (this.current.status === 'down') return false;
    // The clock is asked only of those that failed: this is the hot path.
    return this.ejectedUntil === 0 || this.ejectedUntil <= this.clock.nowMs();
  }

  /** When its ejection ends; null where a probe has to find it up first, or nothing keeps it out. */
  get backAt(): number | null {
    return this.current.status === 'down' || this.healthy ? null : this.ejectedUntil;
  }

  /**
   * Takes note of what became of a request.
   * @returns whether that takes it out of the rotation
   */
  report(outcome: UpstreamOutcome): boolean {
    switch (outcome) {
      case 'answered':
        this.forgive();
        return false;
      case 'unreachable':
        return this.eject();
      case 'broken':
      case 'timed-out':
        this.failuresInARow += 1;
        return this.failuresInARow >= FAILURES_TO_EJECT && this.eject();
      default:
        return assertNever(outcome);
    }
  }

  /** Takes note of what a probe found. */
  probed(result: ProbeResult): void {
    const now = this.clock.nowMs();
    if (result.up) {
      this.current = {
        ...NEVER_PROBED,
        status: 'up',
        lastUp: now,
        lastCheck: now,
        latencyMs: result.latencyMs,
      };
      this.forgive();
      return;
    }
    const firstDownAt = this.current.firstDownAt ?? now;
    this.current = { ...this.current, status: 'down', firstDownAt, lastCheck: now, latencyMs: null };
  }

  /** Requests that were under way when it was ejected fail as well, and say nothing new. */
  private eject(): boolean {
    const now = this.clock.nowMs();
    if (this.ejectedUntil > now) return false;
    const forMs = Math.min(FIRST_EJECTION_MS * 2 ** this.ejectionsInARow, LONGEST_EJECTION_MS);
    this.ejectionsInARow += 1;
    this.ejectedUntil = now + forMs;
    return true;
  }

  private forgive(): void {
    this.failuresInARow = 0;
    this.ejectionsInARow = 0;
    this.ejectedUntil = 0;
  }
}
