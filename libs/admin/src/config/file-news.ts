import { createHash } from 'node:crypto';
import type { FileText } from '#config';
import type { StoredSettings } from '#database';

/*
 * Whether a text in the file that is not in force is a change, or an old text that a PUT has replaced since. Its time is
 * no proof: a checkout, a copy or a ConfigMap makes any text new.
 */

/**
 * A file system stamps files by a clock that ticks every few milliseconds, so a file that was changed just after something
 * was stored can seem a little older than that.
 */
const CLOCK_TICK_MS = 50;

/** By which a text of the file is known again. */
export function hashOfText(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether a text was taken from the file or written to it, and no other one was taken since. */
export function wasInFile(text: string, { takenHash, writtenHash }: StoredSettings): boolean {
  const hash = hashOfText(text);
  return takenHash?.equals(hash) === true || writtenHash?.equals(hash) === true;
}

/** Nobody has seen how the file came to say this, so what was ever known of it stays old. */
export function isNewAtStart({ text, changedAt }: FileText, stored: StoredSettings): boolean {
  return changedAt + CLOCK_TICK_MS > stored.updatedAt.getTime() && !wasInFile(text, stored);
}

/**
 * The file was seen to change. Going back to what it said before the last PUT is a change too, if that one was written
 * to it: somebody has undone it.
 */
export function isNewWhileRunning({ text, placedAt }: FileText, stored: StoredSettings): boolean {
  const last = stored.writtenHash ?? stored.takenHash;
  return placedAt + CLOCK_TICK_MS > stored.updatedAt.getTime() && last?.equals(hashOfText(text)) !== true;
}
