import { Logger } from '@nestjs/common';
import { type Clock, ProxyError } from '#common';
import { Backend } from './backend.js';
import type { Target, UpstreamOutcome } from './target.js';
import type { Upstream } from './upstream.js';

/** Where only a probe can bring a backend back, or somebody who registers one. */
const RETRY_SECONDS = 10;

/**
 * Interchangeable backends, taken in turn. It lives as long as the gateway: what changes is who is in it. The healthy
 * ones share evenly, because each turn goes to the next healthy one after the last that had one.
 */
export class Pool implements Target {
  private readonly logger = new Logger(Pool.name);
  private members: readonly Backend[] = [];
  private next = 0;

  constructor(
    readonly name: string,
    private readonly clock: Clock,
  ) {}

  get backends(): readonly Backend[] {
    return this.members;
  }

  /** How many take requests now. */
  get healthyCount(): number {
    return this.members.reduce((count, { healthy }) => count + Number(healthy), 0);
  }

  /** From the next pick on, these are in it. */
  replace(members: readonly Backend[]): void {
    this.members = members;
    if (this.next >= members.length) this.next = 0;
  }

  pick(): Upstream | ProxyError {
    return this.take(null) ?? this.noneHealthy();
  }

  another(failed: Upstream): Upstream | null {
    return this.take(failed);
  }

  report(upstream: Upstream, outcome: UpstreamOutcome): void {
    if (!(upstream instanceof Backend) || this.isSpared(upstream, outcome) || !upstream.report(outcome))
      return;
    this.logger.warn(`${upstream.url} of the pool ${this.name} is left out for a while: ${outcome}`);
  }

  /**
   * The last one that takes connections is not left out for answers that it did not give: one caller's requests, which
   * crash it or take forever, would keep it from everybody else.
   */
  private isSpared(backend: Backend, outcome: UpstreamOutcome): boolean {
    if (outcome !== 'broken' && outcome !== 'timed-out') return false;
    return !this.members.some((member) => member !== backend && member.healthy);
  }

  /** The hot path: no closure, no copy. */
  private take(butNot: Upstream | null): Backend | null {
    const { members } = this;
    for (let tried = 0; tried < members.length; tried += 1) {
      const backend = members[this.next];
      this.next = this.next + 1 === members.length ? 0 : this.next + 1;
      if (backend !== undefined && backend !== butNot && backend.healthy) return backend;
    }
    return null;
  }

  private noneHealthy(): ProxyError {
    return new ProxyError('NO_HEALTHY_BACKEND', `No healthy backends available in the pool ${this.name}.`, {
      retryAfterSeconds: this.retryAfterSeconds(),
    });
  }

  private retryAfterSeconds(): number {
    const backAt = Math.min(...this.members.map((backend) => backend.backAt ?? Infinity));
    if (backAt === Infinity) return RETRY_SECONDS;
    return Math.max(1, Math.ceil((backAt - this.clock.nowMs()) / 1000));
  }
}
