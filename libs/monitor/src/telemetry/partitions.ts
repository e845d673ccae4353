import { type DataSource, type EntityManager } from 'typeorm';

const DAY_MS = 86_400_000;

/** A reader that takes its time must not make every other reader wait behind a partition that comes or goes. */
const LOCK_TIMEOUT = '2s';

/**
 * A table that is partitioned by day (UTC). A day that is over long enough goes with its table, at once and without
 * dead rows; deleting as much took PostgreSQL minutes of vacuuming every day.
 */
export class DailyPartitions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly table: string,
  ) {}

  /** There is a partition for these times. One call at a time over all replicas. */
  async ensure(...times: readonly Date[]): Promise<void> {
    const days = new Set(times.map((time) => Math.floor(time.getTime() / DAY_MS)));
    const known = new Set((await this.existing()).map(({ day }) => day));
    for (const day of days) {
      if (known.has(day)) continue;
      // Attached, and not created in its place: that locks out nobody who reads or writes the table.
      await this.withTimeout(async (manager) => {
        const name = this.nameOf(day);
        await manager.query(`CREATE TABLE "${name}" (LIKE "${this.table}" INCLUDING ALL)`);
        await manager.query(
          `ALTER TABLE "${this.table}" ATTACH PARTITION "${name}" FOR VALUES FROM ('${iso(day)}') TO ('${iso(day + 1)}')`,
        );
      });
    }
  }

  /** Whole days that are over before this time are dropped. */
  async dropBefore(time: Date): Promise<void> {
    const first = Math.floor(time.getTime() / DAY_MS);
    for (const { name, day } of await this.existing()) {
      if (day >= first) continue;
      await this.withTimeout((manager) => manager.query(`DROP TABLE "${name}"`));
    }
  }

  private async existing(): Promise<Array<{ name: string; day: number }>> {
    const rows = await this.dataSource.query<Array<{ name: string }>>(
      `SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = $1::regclass`,
      [this.table],
    );
    // One that somebody else attached under another name is theirs: it is neither counted nor dropped.
    return rows.flatMap(({ name }) => {
      const day = dayOf(name);
      return day === null ? [] : [{ name, day }];
    });
  }

  private nameOf(day: number): string {
    return `${this.table}_${iso(day).slice(0, 10).replaceAll('-', '')}`;
  }

  private withTimeout(work: (manager: EntityManager) => Promise<unknown>): Promise<unknown> {
    return this.dataSource.transaction(async (manager) => {
      await manager.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
      await work(manager);
    });
  }
}

function iso(day: number): string {
  return new Date(day * DAY_MS).toISOString();
}

/** `slice_sample_20261128` */
function dayOf(name: string): number | null {
  const [match, year, month, date] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return match === undefined ? null : Date.UTC(Number(year), Number(month) - 1, Number(date)) / DAY_MS;
}
