import { readFileSync, statSync } from 'node:fs';
import { errorCode } from '#common';

/** What stood in the file, and since when. */
export interface FileText {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

/**
 * Reads config.yml; null where there is none.
 * @throws Error of Node when it is there and can't be read
 */
export function readConfigFile(file: string): FileText | null {
  try {
    // Asked before: a change in between makes the text newer than its time, and is then taken once more at the most.
    const { mtimeMs } = statSync(file);
    return { text: readFileSync(file, 'utf8'), changedAt: mtimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
