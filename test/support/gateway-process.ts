import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Browser, OperatorClient } from './clients.js';
import type { Moment } from './crash-points.js';
import type { GatewaySetting, Order } from './gateway-child.js';
import { ADMIN_KEY } from './gateway.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A gateway in a process of its own, which a test may kill. */
export class GatewayProcess implements AsyncDisposable {
  private readonly ended: Promise<unknown>;
  private address = '';

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit');
  }

  /** A process that has read all its sources, which takes the longest, and waits for {@link begin}. */
  static load(): GatewayProcess {
    const args = ['--import', './test/support/typescript-loader.ts', 'test/support/gateway-child.ts'];
    return new GatewayProcess(
      spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
  }

  /** A gateway that runs. */
  static async start(setting: GatewaySetting): Promise<GatewayProcess> {
    const gateway = GatewayProcess.load();
    await gateway.begin(setting);
    return gateway;
  }

  async begin({ database: { connection }, dataDir, env, standIn }: GatewaySetting): Promise<void> {
    const begin = { database: { connection }, dataDir, env, ...(standIn === undefined ? {} : { standIn }) };
    const answer = await this.tell({ begin });
    this.address = (answer as { url: string }).url;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Whether it was killed, or killed itself. */
  get killed(): boolean {
    return this.child.signalCode === 'SIGKILL';
  }

  /** A browser without cookies. */
  browser(): Browser {
    return new Browser(this.address);
  }

  operator(): OperatorClient {
    return new OperatorClient(this.address, ADMIN_KEY);
  }

  /** Lets it die at the n-th step from now; see {@link CrashPoints}. */
  async crashAt(moment: Moment, nth: number): Promise<void> {
    await this.tell({ crash: moment, nth });
  }

  /** What it has done since it was told to die, or all its life. */
  async steps(): Promise<readonly string[]> {
    return ((await this.tell({ steps: true })) as { steps: string[] }).steps;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    if (this.runs()) this.child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGTERM: it ends in good order, slices and all. */
  async stop(): Promise<void> {
    if (this.runs()) this.child.kill('SIGTERM');
    await this.ended;
  }

  /** Resolves when it is gone. */
  async end(): Promise<void> {
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private async tell(order: Order): Promise<unknown> {
    const gone = this.ended.then(() => {
      throw new Error(`the gateway ended with ${this.child.exitCode ?? this.child.signalCode}`);
    });
    this.child.send(order);
    const [answer] = await Promise.race([once(this.child, 'message'), gone]);
    return answer;
  }
}
