import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** How finely it is looked at, ms; a histogram counts this much of waiting where there is no lag at all. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** How late the event loop runs what is due: every request of this process waits as long. */
@Injectable()
export class EventLoopLag implements OnModuleDestroy {
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.histogram.enable();
  }

  /** The 99th percentile since it was last asked, ms. */
  takeP99Ms(): number {
    // Nothing was counted yet: percentiles of nothing are 0 or NaN, by version.
    const p99 = this.histogram.count === 0 ? 0 : this.histogram.percentile(99) / NS_PER_MS - RESOLUTION_MS;
    this.histogram.reset();
    return Math.max(0, Math.round(p99));
  }

  onModuleDestroy(): void {
    this.histogram.disable();
  }
}
