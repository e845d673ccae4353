import { copyFile, open, rm, stat, truncate } from 'node:fs/promises';

/** The most that `tail` reads: a few thousand lines. */
const TAIL_BYTES = 1024 * 1024;

/**
 * Keeps a file that a running process appends to in bounds: over `maxBytes` its text is copied to `<file>.1` and the
 * file is emptied under the writer, who goes on at its beginning (opened for appending). So a log takes twice
 * `maxBytes` at the most, plus what is written between two calls. Where there is no room for the copy the text is
 * lost. Never fails: what can't be rotated now is at the next call.
 */
export async function rotate(file: string, maxBytes: number): Promise<void> {
  try {
    if ((await stat(file)).size <= maxBytes) return;
    // Half a copy would only take more of a disk that is full.
    await copyFile(file, `${file}.1`).catch(() => rm(`${file}.1`, { force: true }).catch(() => undefined));
    await truncate(file);
  } catch {
    // No log yet, or none that can be opened; the slice runs all the same.
  }
}

/** The last lines of a file, the one that is being written as well; empty when there is none. */
export async function tail(file: string, lines: number): Promise<string> {
  if (lines <= 0) return '';
  const { bytes } = await readEnd(file);
  return bytes.toString('utf8').replace(/\n$/, '').split('\n').slice(-lines).join('\n');
}

/** The last whole lines of a file, and where the one after them begins. */
export async function lastLines(file: string, lines: number): Promise<{ lines: string[]; end: number }> {
  const { bytes, start } = await readEnd(file);
  const end = bytes.lastIndexOf('\n') + 1;
  if (end === 0) return { lines: [], end: start };
  const whole = bytes.toString('utf8', 0, end - 1).split('\n');
  return { lines: lines <= 0 ? [] : whole.slice(-lines), end: start + end };
}

async function readEnd(file: string): Promise<{ bytes: Buffer; start: number }> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return { bytes: Buffer.alloc(0), start: 0 };
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return { bytes: buffer.subarray(0, bytesRead), start };
  } finally {
    await handle.close();
  }
}
