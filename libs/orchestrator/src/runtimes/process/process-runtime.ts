import type { ChildProcess } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SystemClock, type Clock } from '#common';
import { RuntimeUnavailableError, StartFailedError } from '../errors.js';
import { SliceRuntime, type SliceInstance, type SliceSpec, type SliceUsage } from '../slice-runtime.js';
import { followLog } from './follow-log.js';
import { launch, type LaunchedProcess } from './launch.js';
import type { LaunchPlan } from './launcher.js';
import { assertPortFree } from './loopback-port.js';
import { rotate, tail } from './output-log.js';
import { endGroup, runs } from './process-group.js';
import type { ProcessTable } from './process-table.js';
import { findProgram } from './program.js';
import { readRunRecord, removeRunRecord, writeRunRecord, type RunRecord } from './run-record.js';
import { lookUnless } from './system-error.js';
import { systemProcessTable } from './system-process-table.js';

const HOST = '127.0.0.1';

export interface ProcessRuntimeOptions {
  /** Where slices are kept, each in `<installation>/<id>` below. */
  dataDir: string;
  installationId: string;
  /** Default: the system's. */
  clock?: Clock;
  /** PATH of the slices, unless their env names one. Default: the gateway's Node, and the system's programs. */
  path?: string;
  /** A slice's log is rotated at this size. Default 10 MiB. */
  maxLogBytes?: number;
  /** How long an instance that is replaced may take to end. Default 10 s. */
  replaceGraceMs?: number;
  /** Default: the system's own. */
  processTable?: ProcessTable;
}

/**
 * One process per slice, on this host, as this user. It isolates nothing: slices can read each other's files. Each is
 * the leader of its own session, outlives a kill -9 of the gateway, and is found again by pid, start time and boot
 * (see run-record.ts), so that a pid that was reused is never taken for a slice, nor signalled.
 */
export class ProcessRuntime extends SliceRuntime {
  override readonly kind = 'process';
  readonly #root: string;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #maxLogBytes: number;
  readonly #replaceGraceMs: number;
  readonly #table: ProcessTable;
  /** Only for exit codes, which the system tells the parent alone. */
  readonly #children = new Map<number, ChildProcess>();

  constructor(options: ProcessRuntimeOptions) {
    super();
    this.#root = resolve(options.dataDir, options.installationId);
    this.#clock = options.clock ?? new SystemClock();
    this.#path = options.path ?? [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':');
    this.#maxLogBytes = options.maxLogBytes ?? 10 * 1024 * 1024;
    this.#replaceGraceMs = options.replaceGraceMs ?? 10_000;
    this.#table = options.processTable ?? systemProcessTable();
  }

  override async check(): Promise<void> {
    try {
      await mkdir(this.#root, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new RuntimeUnavailableError(`slices can't be kept in ${this.#root}`, { cause });
    }
  }

  override async start(spec: SliceSpec, signal?: AbortSignal): Promise<SliceInstance> {
    const running = await this.inspect(spec.id);
    if (running?.state === 'running' && running.generation === spec.generation) return running;
    if (running !== null) await this.stop(spec.id, this.#replaceGraceMs);
    signal?.throwIfAborted();
    const port = portOf(spec);
    const [name, ...args] = spec.command ?? [];
    if (name === undefined) throw new StartFailedError('the slice has no command to run');
    const env = this.#environment(spec, port);
    const program = await findProgram(name, env['PATH'] ?? this.#path);
    await assertPortFree(HOST, port);
    await mkdir(this.#dataOf(spec.id), { recursive: true, mode: 0o700 });
    await rotate(this.#logOf(spec.id), this.#maxLogBytes);
    signal?.throwIfAborted();
    return this.#launch(spec, port, { program, args: [name, ...args], env });
  }

  async #launch(spec: SliceSpec, port: number, plan: LaunchPlan): Promise<SliceInstance> {
    const launched = await launch(this.#logOf(spec.id));
    try {
      const record = await this.#record(launched, spec, port);
      await launched.go(plan);
      return this.#instance(spec.id, record, true);
    } catch (error) {
      // It would wait for its plan as long as this gateway lives.
      launched.abandon();
      throw error;
    }
  }

  async #record(launched: LaunchedProcess, spec: SliceSpec, port: number): Promise<RunRecord> {
    const identity = await this.#table.identify(launched.pid);
    if (identity === null)
      throw new StartFailedError('the process ended at once', await this.logs(spec.id, 20));
    const record = { ...identity, generation: spec.generation, port, startedAt: this.#clock.now() };
    await writeRunRecord(this.#folderOf(spec.id), record);
    this.#children.set(launched.pid, launched.child);
    return record;
  }

  override async inspect(sliceId: number): Promise<SliceInstance | null> {
    const record = await readRunRecord(this.#folderOf(sliceId));
    if (record === null) return null;
    // The caller looks at each slice time and again: the moment to keep its log in bounds.
    await rotate(this.#logOf(sliceId), this.#maxLogBytes);
    return this.#instance(sliceId, record, await runs(this.#table, record));
  }

  /** Everything of this host reaches a loopback port. */
  override reach(): Promise<void> {
    return Promise.resolve();
  }

  override async stop(sliceId: number, graceMs: number): Promise<void> {
    const record = await readRunRecord(this.#folderOf(sliceId));
    if (record === null) return;
    await endGroup(this.#table, record, this.#dataOf(sliceId), graceMs);
    await removeRunRecord(this.#folderOf(sliceId));
    this.#children.delete(record.pid);
  }

  override async removeData(sliceId: number): Promise<void> {
    // Also removes the record of what runs, which must not be lost while it does.
    await this.stop(sliceId, 0);
    await rm(this.#folderOf(sliceId), { recursive: true, force: true });
  }

  override async list(): Promise<SliceInstance[]> {
    const all = await Promise.all((await this.listData()).map((id) => this.inspect(id)));
    return all.filter((instance) => instance !== null);
  }

  override async listData(): Promise<number[]> {
    const names = (await lookUnless(['ENOENT'], readdir(this.#root))) ?? [];
    return names.filter((name) => /^\d+$/.test(name)).map(Number);
  }

  /** All are on the host's own. */
  override listNetworks(): Promise<number[]> {
    return Promise.resolve([]);
  }

  override async logs(sliceId: number, lines: number): Promise<string> {
    return tail(this.#logOf(sliceId), lines);
  }

  override followLogs(sliceId: number, lines: number, signal: AbortSignal): AsyncIterable<string> {
    return followLog(this.#logOf(sliceId), lines, signal);
  }

  override async usage(sliceId: number): Promise<SliceUsage | null> {
    const record = await readRunRecord(this.#folderOf(sliceId));
    if (record === null || !(await runs(this.#table, record))) return null;
    return this.#table.usage(await this.#table.members(record.pid));
  }

  override async shutdown(graceMs: number): Promise<void> {
    const ends = await Promise.allSettled((await this.listData()).map((id) => this.stop(id, graceMs)));
    // One that can't be ended keeps none of the others alive.
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #environment(spec: SliceSpec, port: number): Record<string, string> {
    const dataDir = this.#dataOf(spec.id);
    return { PATH: this.#path, HOME: dataDir, ...spec.env, PORT: String(port), HOST, DATA_DIR: dataDir };
  }

  #instance(sliceId: number, record: RunRecord, isRunning: boolean): SliceInstance {
    const exitCode = isRunning ? undefined : exitCodeOf(this.#children.get(record.pid));
    return {
      sliceId,
      generation: record.generation,
      ref: String(record.pid),
      state: isRunning ? 'running' : 'exited',
      ...(exitCode === undefined ? {} : { exitCode }),
      host: HOST,
      port: record.port,
      startedAt: record.startedAt,
    };
  }

  #folderOf(sliceId: number): string {
    return join(this.#root, String(sliceId));
  }

  #dataOf(sliceId: number): string {
    return join(this.#folderOf(sliceId), 'data');
  }

  #logOf(sliceId: number): string {
    return join(this.#folderOf(sliceId), 'output.log');
  }
}

function portOf(spec: SliceSpec): number {
  if (spec.port === null) throw new StartFailedError('a process slice needs a port of this host');
  return spec.port;
}

/** As a shell and the Docker Engine count it: 128 + n for an end by signal n. */
function exitCodeOf(child: ChildProcess | undefined): number | undefined {
  const signal = child?.signalCode ?? null;
  return signal === null ? (child?.exitCode ?? undefined) : 128 + constants.signals[signal];
}
