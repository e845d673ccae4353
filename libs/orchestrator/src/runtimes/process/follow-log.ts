import { type FileHandle, open } from 'node:fs/promises';
import { LogLines } from '../log-lines.js';
import { pause } from '../pause.js';
import { lastLines } from './output-log.js';

const LOOK_MS = 250;
const CHUNK = 64 * 1024;

/**
 * The last lines of a log, and then each line that is appended, until the signal ends it. The file is read as fast as
 * whoever follows takes the lines, and no faster. A log that is rotated (see `rotate`) is followed through its copy.
 */
export async function* followLog(
  file: string,
  lines: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const last = await lastLines(file, lines);
  yield* last.lines;
  let at = last.end;
  const split = new LogLines();
  while (!signal.aborted) {
    const size = await sizeOf(file);
    if (size < at) {
      yield* read(`${file}.1`, at, split, signal);
      at = 0;
    }
    for await (const line of read(file, at, split, signal, (upTo) => (at = upTo))) yield line;
    await pause(LOOK_MS, signal);
  }
}

/** Lines from a position to the end of the file as it is now. */
async function* read(
  file: string,
  from: number,
  split: LogLines,
  signal: AbortSignal,
  reached?: (position: number) => void,
): AsyncGenerator<string, void, void> {
  const handle = await openOr(file);
  if (handle === null) return;
  try {
    const buffer = Buffer.alloc(CHUNK);
    for (let at = from; !signal.aborted;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      reached?.(at);
      yield* split.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  const handle = await openOr(file);
  if (handle === null) return 0;
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

/** Null: there is no log yet. */
function openOr(file: string): Promise<FileHandle | null> {
  return open(file, 'r').catch(() => null);
}
