import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { createClient } from '@redis/client';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

const whyNoRedis = ((): string | null => {
  try {
    execFileSync('redis-server', ['--version']);
    return null;
  } catch (error) {
    return String(error);
  }
})();

/**
 * A `describe` of what needs a real Redis. Where there is none the tests are reported as skipped, with the reason in
 * their title; CI fails if any are.
 */
export function describeWithRedis(title: string, body: () => void): void {
  if (whyNoRedis === null) describe(title, body);
  else describe.skip(`${title} [needs redis-server: ${whyNoRedis}]`, body);
}

/** A real Redis with a password and a folder of its own, on a loopback port. It keeps its data when it is killed. */
export class RedisServer implements AsyncDisposable {
  private constructor(
    private readonly dir: string,
    readonly port: number,
    readonly password: string,
    private child: ChildProcess,
  ) {}

  static async start(): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
    const port = await freePort();
    const password = crypto.randomUUID();
    const server = new RedisServer(dir, port, password, run(dir, port, password));
    await server.isUp();
    return server;
  }

  get url(): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}/0`;
  }

  async kill(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  /** On the same port, with what it had. */
  async restart(): Promise<void> {
    this.child = run(this.dir, this.port, this.password);
    await this.isUp();
  }

  /** It still takes connections then, and answers nothing. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Every key with all that lies under it, whatever its type. */
  async dump(): Promise<Map<string, string>> {
    const client = createClient({ url: this.url });
    await client.connect();
    const dump = new Map<string, string>();
    for (const key of await client.keys('*')) {
      const type = await client.type(key);
      const read =
        type === 'hash'
          ? client.hGetAll(key)
          : type === 'zset'
            ? client.zRangeWithScores(key, 0, -1)
            : client.get(key);
      dump.set(key, JSON.stringify(await read));
    }
    client.destroy();
    return dump;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  private isUp(): Promise<void> {
    return eventually(async () => {
      const socket = connect(this.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`AUTH ${this.password}\r\nPING\r\n`);
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
        if (answer.includes('PONG')) return;
        if (answer.includes('-')) throw new Error(answer);
      }
    });
  }
}

function run(dir: string, port: number, password: string): ChildProcess {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    // The kernel keeps what was written, whoever is killed. `everysec` holds back writes for as long as an fsync takes,
    // and on a busy disk a kill then loses what had been answered.
    appendfsync: 'no',
    requirepass: password,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return spawn('redis-server', args, { stdio: 'ignore' });
}
