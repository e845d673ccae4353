import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { RuntimeUnavailableError, StartFailedError } from '../errors.js';
import type { LaunchPlan } from './launcher.js';

/** Compiled beside this file, or in TypeScript, which Node runs as well, when this file is run from its source. */
const LAUNCHER = join(import.meta.dirname, `launcher${extname(import.meta.filename)}`);
const PLAN_FD = 3;

/** A process that waits for its plan; see launcher.ts. */
export interface LaunchedProcess {
  pid: number;
  child: ChildProcess;
  /** Lets it become the slice. Call it once the process is on record. */
  go(plan: LaunchPlan): Promise<void>;
  /** Ends it instead. */
  abandon(): void;
}

/**
 * Starts the launcher in a session of its own, detached from the gateway and its terminal, both output streams
 * appended to `logFile`: a pipe would break at the slice's first line after the gateway's end.
 * @throws RuntimeUnavailableError when the system gives no process
 */
export async function launch(logFile: string): Promise<LaunchedProcess> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [LAUNCHER], {
      detached: true,
      env: {},
      stdio: ['ignore', log.fd, log.fd, 'pipe'],
    });
    await once(child, 'spawn');
    child.unref();
    const pipe = pipeOf(child);
    // It may break before the plan is sent; who sends it then is told so.
    pipe.on('error', () => undefined);
    return {
      pid: pidOf(child),
      child,
      go: (plan) => send(pipe, plan),
      abandon: () => {
        child.kill('SIGKILL');
        pipe.destroy();
      },
    };
  } catch (cause) {
    throw new RuntimeUnavailableError('the system starts no further process', { cause });
  } finally {
    await log.close();
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new TypeError('a spawned process has a pid');
  return child.pid;
}

function pipeOf(child: ChildProcess): Writable {
  const pipe = child.stdio[PLAN_FD];
  if (!(pipe instanceof Writable)) throw new TypeError('the launcher was started with a pipe for its plan');
  return pipe;
}

async function send(pipe: Writable, plan: LaunchPlan): Promise<void> {
  try {
    pipe.end(`${JSON.stringify(plan)}\n`);
    await finished(pipe, { readable: false });
  } catch (cause) {
    throw new StartFailedError('the process ended before it became the slice', '', { cause });
  } finally {
    pipe.destroy();
  }
}
