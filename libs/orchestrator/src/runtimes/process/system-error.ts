import { errorCode } from '#common';
import { RuntimeUnavailableError } from '../errors.js';

/**
 * Awaits a look at the system; null when it fails with one of these codes, which say that what is looked for is not
 * there. Any other failure (no file descriptor left, a disk that does not read) tells nothing about what runs, and
 * taking it for "nothing" would start a second copy of a slice on the first one's data.
 * @throws RuntimeUnavailableError
 */
export async function lookUnless<T>(codes: readonly string[], look: Promise<T>): Promise<T | null> {
  try {
    return await look;
  } catch (cause) {
    if (codes.includes(errorCode(cause) ?? '')) return null;
    throw new RuntimeUnavailableError('the system does not tell what runs', { cause });
  }
}
