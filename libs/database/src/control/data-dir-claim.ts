import { setTimeout as delay } from 'node:timers/promises';
import { DATA_DIR_CLAIM, DataDirInUse } from '../embedded/data-dir-claim.js';
import type { ControlSession } from './control-session.js';
import { lockKey } from './lock-key.js';

/** A gateway that was killed, or has just stopped, may take a moment to let go. */
const PATIENCE_MS = 2000;
const POLL_EVERY_MS = 50;

/** The two halves of a bigint key are columns of their own (PostgreSQL's documentation, 53.13 pg_locks). */
const HOLDER = `
  SELECT pid FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = $1::bigint`;

/**
 * Makes this gateway the only one on its data directory, for as long as it lives: every session of its control
 * connection takes the lock again. For the embedded database, which is the data directory's own; several gateways on
 * one configured database are welcome.
 */
export class DataDirClaim {
  /** The server's process behind the session that had the lock last. */
  private heldBy: number | null = null;

  /** @param onTaken is told once, when another gateway took the data directory while the connection was lost */
  constructor(readonly onTaken: (error: DataDirInUse) => void = () => undefined) {}

  /**
   * Takes the lock for a session. One that a session of ours still holds, which the server does not know to be gone,
   * is waited for: nobody else can have it meanwhile.
   * @throws DataDirInUse, whose message says how to share a database
   * @throws CoreError DATABASE_UNAVAILABLE when the session is lost
   */
  async take(session: ControlSession): Promise<void> {
    const key = [lockKey(DATA_DIR_CLAIM)];
    let deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { rows } = await session.query<{ taken: boolean; pid: number }>(
        'SELECT pg_try_advisory_lock($1) AS taken, pg_backend_pid() AS pid',
        key,
      );
      if (rows[0]?.taken === true) {
        this.heldBy = rows[0].pid;
        return;
      }
      const holder = await session.query<{ pid: number }>(HOLDER, key);
      if (this.heldBy !== null && holder.rows[0]?.pid === this.heldBy)
        deadline = performance.now() + PATIENCE_MS;
      if (performance.now() > deadline) throw new DataDirInUse();
      await delay(POLL_EVERY_MS, undefined, { ref: false });
    }
  }
}
