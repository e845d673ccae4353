import type { SliceUsage } from '../slice-runtime.js';

/**
 * What tells one process from every other, earlier or later: a pid alone is reused, a pid with its start time is
 * reused at most after a reboot.
 */
export interface ProcessIdentity {
  pid: number;
  /** As the system states it; only ever compared. */
  startTime: string;
  bootId: string;
}

/**
 * The system's processes. A zombie, dead but not yet collected by its parent, counts as gone. Every method throws
 * `RuntimeUnavailableError` when the system does not tell.
 */
export interface ProcessTable {
  /** Null when no process of that pid runs. */
  identify(pid: number): Promise<ProcessIdentity | null>;

  /** The pids of a process group. */
  members(groupId: number): Promise<number[]>;

  /**
   * Whether a process was started with exactly this value in its environment; false where the system does not tell.
   */
  hasEnvironment(pid: number, name: string, value: string): Promise<boolean>;

  /** The sum over those of the pids that still run. */
  usage(pids: readonly number[]): Promise<SliceUsage>;
}
