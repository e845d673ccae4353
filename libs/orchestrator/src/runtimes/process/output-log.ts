import { copyFile, open, stat, truncate } from 'node:fs/promises';

/** The most that `tail` reads: a few thousand lines. */
const TAIL_BYTES = 1024 * 1024;

/**
 * Keeps a file that a running process appends to in bounds: over `maxBytes` its text is copied to `<file>.1` and the
 * file is emptied under the writer, who goes on at its beginning (opened for appending). So a log takes twice
 * `maxBytes` at the most, plus what is written between two calls.
 */
export async function rotate(file: string, maxBytes: number): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= maxBytes) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
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
