import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Slice, User } from '#database';
import { TelemetryReader } from '#monitor';
import { RuntimeUnavailableError, SliceEvents, SliceRuntime, SliceService } from '#orchestrator';
import { administered } from '../slices/slice-listing.js';
import { eventView } from '../slices/slice-watch.js';
import { readingOf } from './reading.js';
import type { SliceDetail } from './schemas.js';

const HOURS = 24;
const EVENTS = 20;

/** One slice with all that is known of it. */
@Injectable()
export class SliceDetailService {
  constructor(
    private readonly service: SliceService,
    private readonly events: SliceEvents,
    private readonly telemetry: TelemetryReader,
    private readonly dataSource: DataSource,
    @Inject(SliceRuntime) private readonly runtime: SliceRuntime,
  ) {}

  /** @throws OrchestratorError SLICE_NOT_FOUND */
  async show(id: number): Promise<SliceDetail> {
    const slice = await this.service.get(id);
    const [owner, container, latest, series, events] = await Promise.all([
      this.ownerOf(slice),
      this.containerOf(slice),
      this.telemetry.latestOf(id),
      this.telemetry.seriesOf(id, HOURS),
      this.events.last(id, EVENTS),
    ]);
    const { from, to, stepSeconds } = series;
    const { sliceId: _, ...columns } = series.slice;
    return {
      slice: administered(slice, owner),
      container,
      latest: readingOf(latest ?? undefined),
      appMetrics: { ...latest?.metrics },
      telemetry: {
        from: from.toISOString(),
        to: to.toISOString(),
        stepSeconds,
        ...columns,
      },
      events: events.map(eventView),
    };
  }

  private async ownerOf({ ownerId: id }: Slice): Promise<User | null> {
    return id === null ? null : this.dataSource.getRepository(User).findOneBy({ id });
  }

  /** An engine that is away is no reason to tell nothing of the slice. */
  private async containerOf({ id, runtime }: Slice): Promise<SliceDetail['container']> {
    if (runtime === 'external') return null;
    try {
      const instance = await this.runtime.inspect(id);
      if (instance === null) return null;
      const usage = instance.state === 'running' ? await this.runtime.usage(id) : null;
      const { ref, state, exitCode = null, startedAt, generation } = instance;
      const { memoryBytes = null, cpuSeconds = null } = usage ?? {};
      return {
        ref,
        state,
        exitCode,
        startedAt: startedAt.toISOString(),
        generation,
        memoryBytes,
        cpuSeconds,
      };
    } catch (error) {
      if (error instanceof RuntimeUnavailableError) return null;
      throw error;
    }
  }
}
