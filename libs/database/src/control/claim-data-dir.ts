import { DATA_DIR_CLAIM, DataDirInUse } from '../embedded/data-dir-claim.js';
import type { Lock } from './advisory-locks.js';
import type { ControlConnection } from './control-connection.js';

/** A gateway that was killed, or has just stopped, may take a moment to let go. */
const PATIENCE_MS = 2000;

/**
 * Makes this gateway the only one on its data directory, as long as the lock is held. For the embedded database, which
 * is the data directory's own; several gateways on one configured database are welcome.
 * @throws DataDirInUse, whose message says how to share a database
 */
export async function claimDataDir(control: ControlConnection): Promise<Lock> {
  try {
    return await control.acquire(DATA_DIR_CLAIM, { timeoutMs: PATIENCE_MS });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') throw new DataDirInUse();
    throw error;
  }
}
