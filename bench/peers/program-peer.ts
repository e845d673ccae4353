import { PROXY_CORE } from '../lib/cores.ts';
import { Pinned } from '../lib/pinned.ts';
import { untilAnswers } from '../lib/until.ts';
import { PATH } from '../lib/upstream.ts';
import type { Peer } from './peer.ts';

/** A peer that is one or more programs on the proxy's core. */
export class ProgramPeer implements Peer {
  readonly cookies: readonly string[] = [];
  readonly url: string;
  readonly name: string;
  readonly #programs: readonly Pinned[];

  private constructor(name: string, port: number, programs: readonly Pinned[]) {
    this.name = name;
    this.url = `http://127.0.0.1:${port}${PATH}`;
    this.#programs = programs;
  }

  /** Starts the programs, and waits until the upstream answers through the one on `port`. */
  static async start(
    name: string,
    port: number,
    commands: readonly (readonly string[])[],
  ): Promise<ProgramPeer> {
    const programs = commands.map((command) => new Pinned(command, { core: PROXY_CORE }));
    const peer = new ProgramPeer(name, port, programs);
    try {
      await Promise.all(programs.map((program) => program.whileAlive(untilAnswers(peer.url))));
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  cpuSeconds(): number {
    return this.#programs.reduce((sum, program) => sum + program.cpuSeconds(), 0);
  }

  residentBytes(): number {
    return this.#programs.reduce((sum, program) => sum + program.residentBytes(), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop()));
  }
}
