import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Browser, OperatorClient } from './clients.js';
import { ADMIN_KEY } from './gateway.js';

const PROGRAM = fileURLToPath(new URL('../../dist/apps/gateway/src/main.js', import.meta.url));

const STOP_MS = 15_000;

export interface ProgramOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Arguments of Node, before the program. */
  readonly nodeArgs?: readonly string[];
}

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything it wrote to standard output and standard error. */
  readonly output: string;
}

/** The gateway as `npm start` runs it: the compiled program in a process of its own. */
export class GatewayProgram implements AsyncDisposable {
  url = '';
  output = '';
  readonly ended: Promise<Ending>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = once(child, 'close').then(([code, signal]: unknown[]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      output: this.output,
    }));
  }

  /** Runs it; it may or may not come up. `npm run build` has to come first. */
  static run({ env, nodeArgs = [] }: ProgramOptions): GatewayProgram {
    if (!existsSync(PROGRAM))
      throw new Error('Run `npm run build` first: this test starts the compiled gateway.');
    const child = spawn(process.execPath, [...nodeArgs, PROGRAM], {
      // Nothing of the test's own environment: what is set there must not decide what the gateway does.
      env: {
        PATH: process.env['PATH'],
        PORT: '0',
        LOG_LEVEL: 'warn',
        SIGNUPS_PER_HOUR: '0',
        ADMIN_KEY,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new GatewayProgram(child);
  }

  /** Runs it, and waits until it serves. */
  static async start(options: ProgramOptions): Promise<GatewayProgram> {
    const program = GatewayProgram.run(options);
    await program.ready();
    return program;
  }

  /**
   * Waits until it serves.
   * @throws Error with its output when it ends instead
   */
  async ready(): Promise<void> {
    this.url = await this.said(/Sluice runs at (\S+)/);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  browser(): Browser {
    return new Browser(this.url);
  }

  operator(): OperatorClient {
    return new OperatorClient(this.url, ADMIN_KEY);
  }

  /** Waits until its output matches, and gives the first group. */
  async said(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match[1] ?? match[0];
      if (!this.running) throw new Error(`The gateway ended: ${(await this.ended).output}`);
      await Promise.race([once(this.child.stdout ?? this.child, 'data'), this.ended]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its resident memory, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Stops it in good order; one that does not end is killed, so that a test that failed ends. */
  async stop(): Promise<Ending> {
    if (this.running) this.signal('SIGTERM');
    const deadline = setTimeout(() => this.signal('SIGKILL'), STOP_MS);
    return this.ended.finally(() => clearTimeout(deadline));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
