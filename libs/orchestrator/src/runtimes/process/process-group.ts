import { errorCode } from '#common';
import { RuntimeUnavailableError } from '../errors.js';
import { pollUntil } from '../poll.js';
import type { ProcessIdentity, ProcessTable } from './process-table.js';

/** A killed process ends when the kernel gets to it; one that waits for a dead disk may never. */
const KILL_TIMEOUT_MS = 5_000;

/** Whether the very process on record runs, and not another that was given its pid. */
export async function runs(table: ProcessTable, recorded: ProcessIdentity): Promise<boolean> {
  const now = await table.identify(recorded.pid);
  return now !== null && now.startTime === recorded.startTime && now.bootId === recorded.bootId;
}

/**
 * Whether the group led by the process on record is still the slice's. A leader that is gone may have left children,
 * which are known by the slice's DATA_DIR in their environment; a group of anybody else is never signalled.
 */
async function isOurs(table: ProcessTable, recorded: ProcessIdentity, dataDir: string): Promise<boolean> {
  const leader = await table.identify(recorded.pid);
  if (leader !== null) return runs(table, recorded);
  const members = await table.members(recorded.pid);
  const marked = await Promise.all(members.map((pid) => table.hasEnvironment(pid, 'DATA_DIR', dataDir)));
  return marked.some(Boolean);
}

/**
 * Ends the whole process group: SIGTERM, and SIGKILL to what is left after `graceMs`. While one member lives, the
 * kernel gives the group's id to no one else, so asking once whose it is suffices.
 * @throws RuntimeUnavailableError when even SIGKILL did not end it
 */
export async function endGroup(
  table: ProcessTable,
  leader: ProcessIdentity,
  dataDir: string,
  graceMs: number,
): Promise<void> {
  if (!(await isOurs(table, leader, dataDir))) return;
  const isGone = async (): Promise<boolean> => (await table.members(leader.pid)).length === 0;
  signalGroup(leader.pid, 'SIGTERM');
  if (await pollUntil(isGone, graceMs)) return;
  signalGroup(leader.pid, 'SIGKILL');
  if (!(await pollUntil(isGone, KILL_TIMEOUT_MS))) {
    throw new RuntimeUnavailableError(`process group ${leader.pid} outlives SIGKILL`);
  }
}

function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
