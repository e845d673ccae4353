import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../errors/error-code.js';

/**
 * A random name of the folder that the file is in, kept in that file, so that it stays the same where the folder is
 * moved, or mounted elsewhere. Made once, and never over another one.
 */
export async function keptName(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const known = await nameIn(file);
  if (known !== '' && known !== null) return known;
  const name = randomBytes(16).toString('hex');
  // Whole before it has its place: nobody may read half a name, or none, nor a full disk leave one.
  const draft = `${file}.${name}`;
  try {
    await writeFile(draft, name, { flag: 'wx', mode: 0o600, flush: true });
    // One that a crash has left empty is no name: everybody else's would be the same.
    if (known === '') await rename(draft, file);
    else await linkUnlessThere(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

async function nameIn(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Unlike a rename a link never takes the place of what is there: another gateway may have been quicker. */
async function linkUnlessThere(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
