import type { SliceReading } from '../telemetry/readings.js';
import type { TelemetryStore } from '../telemetry/telemetry-store.js';

/** Stores the samples of a pass in batches as they come, so that none waits for a slice that does not answer. */
export class SampleWriter {
  private waiting: SliceReading[] = [];
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: Pick<TelemetryStore, 'addSlices'>,
    private readonly flushMs: number,
    private readonly signal: AbortSignal,
  ) {}

  add(reading: SliceReading): void {
    this.waiting.push(reading);
    this.timer ??= setTimeout(() => this.flush(), this.flushMs);
  }

  /** Stores the rest. @throws what the database throws: then samples are missing */
  async end(): Promise<void> {
    this.flush();
    await this.writing;
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const batch = this.waiting;
    this.waiting = [];
    this.writing = this.writing.then(() => (this.signal.aborted ? undefined : this.store.addSlices(batch)));
    // Whoever ends it is told; until then it is nobody's unhandled rejection.
    this.writing.catch(() => undefined);
  }
}
