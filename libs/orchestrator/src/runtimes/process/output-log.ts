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

/** The last lines of a file; empty when there is none. */
export async function tail(file: string, lines: number): Promise<string> {
  if (lines <= 0) return '';
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const all = buffer.toString('utf8', 0, bytesRead).replace(/\n$/, '').split('\n');
    return all.slice(-lines).join('\n');
  } finally {
    await handle.close();
  }
}
