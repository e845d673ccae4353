import { readFileSync, statSync } from 'node:fs';
import { errorCode } from '#common';

/** What stood in the file, and since when, in milliseconds since the epoch. */
export interface FileText {
  readonly text: string;
  /** When it was written. */
  readonly changedAt: number;
  /** When it came to stand there, by being written or by being moved. */
  readonly placedAt: number;
}

/**
 * Reads config.yml; null where there is none.
 * @throws Error of Node when it is there and can't be read
 */
export function readConfigFile(file: string): FileText | null {
  try {
    // Asked before: a change in between makes the text newer than its time, and is then taken once more at the most.
    const { mtimeMs, ctimeMs } = statSync(file);
    return { text: readFileSync(file, 'utf8'), changedAt: mtimeMs, placedAt: ctimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
