import { Injectable } from '@nestjs/common';
import { SliceSupervision } from '#orchestrator';
import type { ServerQuery, ServerTelemetry, SlicesQuery, SlicesTelemetry } from './schemas.js';
import { TelemetryReader } from './telemetry-reader.js';

/** Contract §9. */
const PAGE_SIZE = 50;

/** Telemetry as the operator sees it. */
@Injectable()
export class TelemetryViews {
  constructor(
    private readonly reader: TelemetryReader,
    private readonly slices: SliceSupervision,
  ) {}

  async ofServer({ hours }: ServerQuery): Promise<ServerTelemetry> {
    const { server, from, to, stepSeconds } = await this.reader.serverSeries(hours);
    return { from: from.toISOString(), to: to.toISOString(), stepSeconds, server };
  }

  /** Every live slice of the page, also one that has no samples yet. */
  async ofSlices({ hours, page }: SlicesQuery): Promise<SlicesTelemetry> {
    const all = await this.slices.all();
    const shown = all.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    const { slices, from, to, stepSeconds } = await this.reader.series(
      shown.map(({ id }) => id),
      hours,
    );
    const names = new Map(shown.map(({ id, name }) => [id, name]));
    return {
      from: from.toISOString(),
      to: to.toISOString(),
      stepSeconds,
      slices: slices.map(({ sliceId: id, ...columns }) => ({ id, name: names.get(id) ?? '', ...columns })),
      total: all.length,
      page,
      pageSize: PAGE_SIZE,
    };
  }
}
