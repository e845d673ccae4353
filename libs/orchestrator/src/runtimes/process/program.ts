import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { StartFailedError } from '../errors.js';

/**
 * The absolute path of a program, found as a shell finds it: a name with a slash from the working directory, any other
 * along `path`.
 * @throws StartFailedError when there is no such program
 */
export async function findProgram(name: string, path: string): Promise<string> {
  const candidates = name.includes('/')
    ? [resolve(name)]
    : path.split(delimiter).map((dir) => join(dir, name));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new StartFailedError(`there is no program ${name} to run the slice with (looked in ${path})`);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
