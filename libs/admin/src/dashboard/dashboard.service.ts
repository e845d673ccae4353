import { createRequire } from 'node:module';
import { Injectable, Optional } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock, SubscriptionFigures } from '#common';
import { type SliceReading, TelemetryReader } from '#monitor';
import { readingOf } from './reading.js';
import type { Dashboard, WatchedSlice } from './schemas.js';

const WEEK_MS = 7 * 24 * 3_600_000;
const manifest: { version: string } = createRequire(import.meta.url)('#package');

/** What of a slice stands in its row: everything the list needs, and none of what is sealed. */
type SliceRow = Pick<WatchedSlice, 'id' | 'name' | 'status' | 'desired' | 'owner' | 'ownerEmail'> & {
  readonly claimable: boolean;
};

const SLICES = `
  SELECT slice.id, slice.name, slice.status, slice.desired_state AS desired, slice.owner_id AS owner,
         "user".email AS "ownerEmail", slice.claimable
    FROM slice LEFT JOIN "user" ON "user".id = slice.owner_id
   WHERE slice.destroyed_at IS NULL ORDER BY slice.id`;

const USERS = `
  SELECT count(*)::int AS total,
         count(*) FILTER (WHERE role = 'admin')::int AS admins,
         count(*) FILTER (WHERE disabled_at IS NOT NULL)::int AS disabled,
         count(*) FILTER (WHERE email_verified_at IS NOT NULL)::int AS verified,
         count(*) FILTER (WHERE totp_confirmed_at IS NOT NULL)::int AS "withTotp",
         count(*) FILTER (WHERE created_at > $1)::int AS "newLastWeek"
    FROM "user" WHERE deleted_at IS NULL`;

/** Everything at a glance, in one answer: a few queries, whatever there is to see. */
@Injectable()
export class DashboardService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly telemetry: TelemetryReader,
    private readonly clock: Clock,
    @Optional() private readonly subscriptions: SubscriptionFigures | null,
  ) {}

  async show(): Promise<Dashboard> {
    const now = this.clock.now();
    const [rows, users, { server, slices }, subscriptions] = await Promise.all([
      this.dataSource.query<SliceRow[]>(SLICES),
      this.dataSource.query<[Dashboard['users']]>(USERS, [new Date(now.getTime() - WEEK_MS)]),
      this.telemetry.latest(),
      this.subscriptions?.byStatus() ?? null,
    ]);
    return {
      at: now.toISOString(),
      version: manifest.version,
      server: server && { ...server, at: server.at.toISOString() },
      slices: slicesOf(rows, slices),
      users: users[0],
      appMetrics: appMetricsOf(slices),
      subscriptions,
    };
  }
}

function slicesOf(rows: readonly SliceRow[], readings: readonly SliceReading[]): Dashboard['slices'] {
  const latest = new Map(readings.map((reading) => [reading.sliceId, reading]));
  const byStatus: Record<string, number> = {};
  let unclaimed = 0;
  const list = rows.map(({ claimable, ...row }): WatchedSlice => {
    byStatus[row.status] = (byStatus[row.status] ?? 0) + 1;
    if (claimable) unclaimed += 1;
    return { ...row, ...readingOf(latest.get(row.id)) };
  });
  const unhealthy = list.filter(({ healthy }) => healthy === false).length;
  return { total: list.length, unclaimed, unhealthy, byStatus, list };
}

function appMetricsOf(readings: readonly SliceReading[]): Dashboard['appMetrics'] {
  const values = new Map<string, number[]>();
  for (const { metrics } of readings) {
    for (const [name, value] of Object.entries(metrics)) {
      const known = values.get(name);
      if (known === undefined) values.set(name, [value]);
      else known.push(value);
    }
  }
  return Object.fromEntries(
    [...values].map(([name, all]) => {
      const sum = all.reduce((total, value) => total + value, 0);
      const max = all.reduce((most, value) => Math.max(most, value), -Infinity);
      return [name, { sum, average: sum / all.length, max, slices: all.length }];
    }),
  );
}
