/** What one slice is to run: everything is decided, nothing is left to the runtime. */
export interface SliceSpec {
  id: number;
  name: string;
  /** Bumped by every change of what is desired; tells a wanted instance from one that is to be replaced. */
  generation: number;
  /** What the docker runtime runs. */
  image: string | null;
  /** What the process runtime runs: program and arguments, no shell. */
  command: readonly string[] | null;
  /** Complete but for PORT, HOST and DATA_DIR, which only the runtime knows. */
  env: Readonly<Record<string, string>>;
  memoryBytes: number;
  cpus: number;
  /** The loopback port the slice is reached at; null where each slice has a network of its own. */
  port: number | null;
}

/** One slice as it was last seen in the world. */
export interface SliceInstance {
  sliceId: number;
  generation: number;
  /** Container id or process id: for people and logs, never to act on. */
  ref: string;
  state: 'running' | 'exited';
  /** Where it is known: a process that was adopted leaves none behind. */
  exitCode?: number;
  /** Where the gateway reaches the slice; never assumed to be 127.0.0.1. */
  host: string;
  port: number;
  startedAt: Date;
}

/** What is known of an instance without a closer look. */
export type ListedInstance = Pick<SliceInstance, 'sliceId' | 'generation' | 'state'>;

/** What a running slice uses, read in one shot. */
export interface SliceUsage {
  memoryBytes: number;
  /** Since the slice started; the difference of two readings is the load between them. */
  cpuSeconds: number;
}

/**
 * Where slices run. Everything it does is safe to repeat, and bears a kill -9 of the gateway at any moment: what is
 * left behind is healed by the next `start` or `stop` of that slice. It touches nothing but what carries its own
 * installation's id. It keeps no state in memory that another gateway, or the same one after a restart, would miss.
 *
 * The caller holds the slice's lock: two calls that change the same slice never overlap. Every method may throw
 * `RuntimeUnavailableError`.
 */
export abstract class SliceRuntime {
  abstract readonly kind: 'docker' | 'process';

  /**
   * Looks whether slices can run here at all.
   * @throws RuntimeUnavailableError
   */
  abstract check(): Promise<void>;

  /**
   * Brings the slice up, healthy or not: that is the caller's to find out. An instance of the same generation that
   * runs is returned as it is; one of another generation, or a leftover, is replaced.
   * @throws PortTakenError
   * @throws StartFailedError
   */
  abstract start(spec: SliceSpec, signal?: AbortSignal): Promise<SliceInstance>;

  /** The slice as it is now; null when there is nothing of it but its data. */
  abstract inspect(sliceId: number): Promise<SliceInstance | null>;

  /**
   * Sees to it that this very process reaches a running slice where `inspect` says it is. The one call that needs no
   * lock of the slice: it changes nothing but who may talk to it.
   */
  abstract reach(sliceId: number): Promise<void>;

  /**
   * SIGTERM, then SIGKILL after `graceMs`. Afterwards nothing of the slice is left but its data.
   */
  abstract stop(sliceId: number, graceMs: number): Promise<void>;

  /** Deletes what the slice kept in its DATA_DIR; ends the slice at once if it still runs. */
  abstract removeData(sliceId: number): Promise<void>;

  /** Every instance of this installation, whether or not the caller knows the slice; cheap however many there are. */
  abstract list(): Promise<ListedInstance[]>;

  /** The ids of the slices that have data here. */
  abstract listData(): Promise<number[]>;

  /** The ids of the slices that have a network of their own here. */
  abstract listNetworks(): Promise<number[]>;

  /** The last `lines` lines the slice wrote, both streams; empty when there is nothing. */
  abstract logs(sliceId: number, lines: number): Promise<string>;

  /**
   * The last `lines` lines, and then each line as it is written, through restarts of the slice, until the signal ends
   * it. No faster than the lines are taken; a line of any length takes no more than a few kilobytes.
   */
  abstract followLogs(sliceId: number, lines: number, signal: AbortSignal): AsyncIterable<string>;

  /** What the slice uses now; null when it does not run. */
  abstract usage(sliceId: number): Promise<SliceUsage | null>;

  /**
   * The orderly end of the owner: what belongs to it ends with it (process slices); what stands on its own
   * (containers) lives on.
   */
  abstract shutdown(graceMs: number): Promise<void>;
}
