import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock, OrchestratorError } from '#common';
import { AppConfig } from '#config';

/** How long a freed port rests, so that no stale route leads to another customer's slice. */
export const PORT_REST_MS = 60_000;

/**
 * Hands out the ports of `SLICE_PORT_RANGE`. They stand in the database, one row a port, so that no two slices and no
 * two gateways ever hold the same one.
 */
@Injectable()
export class PortAllocator {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /** Makes the rows of the configured range; a narrower range leaves the rows of the old one, held or not. */
  async prepare(): Promise<void> {
    const { from, to } = this.config.slices.portRange;
    await this.dataSource.query(
      `INSERT INTO slice_port (port) SELECT generate_series($1::int, $2::int) ON CONFLICT (port) DO NOTHING`,
      [from, to],
    );
  }

  /**
   * The slice's port: the one it holds, else the one that has been free the longest.
   * @throws OrchestratorError NO_FREE_PORT
   */
  async hold(sliceId: number, manager: EntityManager = this.dataSource.manager): Promise<number> {
    const [held] = await manager.query<Array<{ port: number }>>(
      `SELECT port FROM slice_port WHERE slice_id = $1`,
      [sliceId],
    );
    if (held !== undefined) return held.port;
    const { from, to } = this.config.slices.portRange;
    const [rows] = await manager.query<[Array<{ port: number }>, number]>(
      `UPDATE slice_port SET slice_id = $1 WHERE port = (
         SELECT port FROM slice_port
          WHERE slice_id IS NULL AND available_at <= $2 AND port BETWEEN $3 AND $4
          ORDER BY available_at, port LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING port`,
      [sliceId, this.clock.now(), from, to],
    );
    const [taken] = rows;
    if (taken !== undefined) return taken.port;
    throw new OrchestratorError(
      'NO_FREE_PORT',
      `Every port of ${from}-${to} is taken or resting. Destroy a slice, wait a minute, or widen SLICE_PORT_RANGE.`,
      { retryAfterSeconds: PORT_REST_MS / 1000 },
    );
  }

  /**
   * Gives one particular port of the range to a slice, so that no other gets it; a port that is not of the range is
   * nobody's here.
   * @returns false when another slice has it
   */
  async take(port: number, sliceId: number, manager: EntityManager): Promise<boolean> {
    const [rows] = await manager.query<[unknown[], number]>(
      `UPDATE slice_port SET slice_id = $2 WHERE port = $1 AND slice_id IS NULL RETURNING port`,
      [port, sliceId],
    );
    if (rows.length > 0) return true;
    const held = await manager.query<unknown[]>(`SELECT 1 FROM slice_port WHERE port = $1`, [port]);
    return held.length === 0;
  }

  /** Gives the slice's port back; it rests before it is handed out again. Also for a port that a stranger holds. */
  async release(sliceId: number, manager: EntityManager = this.dataSource.manager): Promise<void> {
    await manager.query(`UPDATE slice_port SET slice_id = NULL, available_at = $2 WHERE slice_id = $1`, [
      sliceId,
      new Date(this.clock.nowMs() + PORT_REST_MS),
    ]);
  }
}
