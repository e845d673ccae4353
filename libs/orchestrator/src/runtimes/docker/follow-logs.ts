import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pause } from '../pause.js';
import { ask, find } from './engine.js';
import { LogFrames } from './log-frames.js';

const LOOK_MS = 1000;

/**
 * The last lines of a container, and then each line it writes, until the signal ends it. When it is replaced by
 * another of the same name, that one is followed from its beginning.
 * @param docker a client that waits as long as a quiet slice says nothing
 */
export async function* followLogs(
  docker: Docker,
  name: string,
  lines: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  let followed: string | null = null;
  while (!signal.aborted) {
    const info = await find(docker.getContainer(name).inspect());
    if (info !== null && info.Id !== followed) {
      const wanted = followed === null ? lines : Number.MAX_SAFE_INTEGER;
      followed = info.Id;
      yield* linesOf(docker.getContainer(info.Id), wanted, signal);
    } else {
      await pause(LOOK_MS, signal);
    }
  }
}

async function* linesOf(
  container: Docker.Container,
  lines: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const tail = lines === Number.MAX_SAFE_INTEGER ? {} : { tail: lines };
  const options = { follow: true, stdout: true, stderr: true, abortSignal: signal, ...tail } as const;
  const stream = await ask(container.logs(options));
  if (!(stream instanceof Readable)) return;
  const frames = new LogFrames();
  try {
    for await (const bytes of stream) yield* frames.push(Buffer.from(bytes));
    yield* frames.end();
  } catch (error) {
    // Told to stop, it is cut off: that is no fault.
    if (!signal.aborted) throw error;
  } finally {
    stream.destroy();
  }
}
