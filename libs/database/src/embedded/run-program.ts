import { spawn } from 'node:child_process';

/** The user a program runs as; without one it runs as the gateway does. */
export interface Identity {
  uid: number;
  gid: number;
}

/** A program ended with another status than 0. */
export class ProgramFailed extends Error {
  constructor(
    readonly program: string,
    readonly exitCode: number | null,
    readonly output: string,
  ) {
    super(`${program} failed (${exitCode === null ? 'killed' : `status ${exitCode}`}): ${output.trim()}`);
    this.name = 'ProgramFailed';
  }
}

/**
 * Runs a program to its end, in a session of its own: a Ctrl-C at the terminal reaches neither it nor what it starts.
 * It starts in `/`, because PostgreSQL's programs want a working directory that their user may enter, and with an
 * empty environment, so that nobody's PGDATA or PGOPTIONS changes what it does.
 * @throws ProgramFailed
 * @throws Error with `code` ENOENT or EACCES when it can't be run
 */
export function runProgram(program: string, args: readonly string[], identity?: Identity): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...identity,
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new ProgramFailed(program, code, output));
    });
  });
}
