import { randomUUID } from 'node:crypto';
import { chmod, chown, copyFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { errorCode } from '#common';

/** Nothing can take the place of the file here, yet it may be writable itself: a bind mount, a folder of root's. */
const NO_RENAME: ReadonlySet<string> = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']);

/** What became of a file that was written. */
export interface Written {
  /** Whether the text before is kept beside it, as `.bak`; true as well where there was none. */
  readonly backedUp: boolean;
}

/**
 * Writes the whole file or nothing of it, with owner and permissions as they were, and keeps the one before as `.bak`.
 * Only where no other file can take its place it is written over.
 * @throws Error of Node when it can't be written; then it is as it was
 */
export async function writeConfigFile(file: string, text: string): Promise<Written> {
  // A link stays one; what it leads to is written.
  const target = (await unlessMissing(realpath(file))) ?? file;
  const before = await unlessMissing(stat(target));
  const backedUp = before === null || (await keep(target));
  const next = `${target}.${randomUUID()}.new`;
  try {
    // For its owner alone, until it has the one it is to have: not even for a moment may more people read it.
    const mode = before === null ? 0o666 : before.mode & 0o700;
    await writeFile(next, text, { flush: true, flag: 'wx', mode });
    if (before !== null) {
      if (before.uid !== process.getuid?.() || before.gid !== process.getgid?.()) {
        await chown(next, before.uid, before.gid);
      }
      await chmod(next, before.mode);
    }
    await rename(next, target);
  } catch (error) {
    await rm(next, { force: true }).catch(() => undefined);
    if (before === null || !NO_RENAME.has(errorCode(error) ?? '')) throw error;
    await writeFile(target, text, { flush: true });
  }
  return { backedUp };
}

/** Where the folder takes no new file, the text goes without one that is kept. */
async function keep(target: string): Promise<boolean> {
  try {
    await copyFile(target, `${target}.bak`);
    return true;
  } catch (error) {
    if (NO_RENAME.has(errorCode(error) ?? '')) return false;
    throw error;
  }
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
