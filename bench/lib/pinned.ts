import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

export interface PinnedOptions {
  readonly core: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Opens a channel for messages; the program has to be Node. */
  readonly ipc?: boolean;
}

/** How much of what a program says is kept for the message of its failure. */
const KEPT_OUTPUT = 4000;
const PAGE_BYTES = 4096;

/** A program that is bound to one core, and what it costs. `taskset` becomes the program, so the pid is the same. */
export class Pinned implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';

  constructor(command: readonly string[], { core, env, cwd, ipc = false }: PinnedOptions) {
    this.child = spawn('taskset', ['-c', String(core), ...command], {
      stdio: ['ignore', 'pipe', 'pipe', ipc ? 'ipc' : 'ignore'],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.child.stdout?.on('data', (chunk: Buffer) => this.#keep(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.#keep(chunk));
    this.#exited = once(this.child, 'exit');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The last of what it wrote. */
  get output(): string {
    return this.#output;
  }

  /** CPU time so far of all its threads, in seconds; not that of its children. */
  cpuSeconds(): number {
    let nanoseconds = 0;
    for (const task of readdirSync(`/proc/${this.pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    }
    return nanoseconds / 1e9;
  }

  /** Resident memory, in bytes. */
  residentBytes(): number {
    return Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  }

  /** Resolves to what `ready` gives; fails at once where the program ends before. */
  async whileAlive<T>(ready: Promise<T>): Promise<T> {
    const died = this.#exited.then(() => {
      throw new Error(`${this.child.spawnargs.join(' ')} ended:\n${this.#output}`);
    });
    return Promise.race([ready, died]);
  }

  /** Sends SIGTERM and waits for its end. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #keep(chunk: Buffer): void {
    this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT);
  }
}
