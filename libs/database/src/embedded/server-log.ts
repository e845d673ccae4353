import { copyFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import type { Launcher } from './launcher.js';

const LARGEST_BYTES = 10 * 1024 * 1024;
const SHOWN_LINES = 15;

/** The server's log: one file and the one before it, so never more than 20 MiB, or so. */
export class ServerLog {
  constructor(readonly file: string) {}

  /** Makes the file before the server does, so that it can be written by the server's user in a folder that can't. */
  async prepare(launcher: Launcher): Promise<void> {
    await writeFile(this.file, '', { flag: 'a', mode: 0o600 });
    await launcher.handOver(this.file);
  }

  /**
   * Copies and empties a file grown too large. The server holds it open for appending, so it goes on at the start; a
   * line written between the two steps is lost. On a full disk it is emptied without a copy: there the room is needed
   * most. Never rejects: the server is looked after whether its log can be kept small or not.
   */
  async rotate(): Promise<void> {
    const found = await stat(this.file).catch(() => null);
    if (found === null || found.size < LARGEST_BYTES) return;
    await copyFile(this.file, `${this.file}.1`).catch(() => undefined);
    await truncate(this.file, 0).catch(() => undefined);
  }

  /** The last lines, for an error message. */
  async tail(): Promise<string> {
    const text = await readFile(this.file, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
  }
}
