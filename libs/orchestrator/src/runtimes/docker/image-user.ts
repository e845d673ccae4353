import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { StartFailedError } from '../errors.js';
import { ask, find } from './engine.js';
import { firstFile, type Owner } from './tar.js';

/**
 * Who a container runs as, in numbers: `user` is what its image says, `user[:group]`, names or numbers, empty for
 * root. Names are looked up in the container's own files, as the engine does.
 * @throws StartFailedError when there is no such user in the image
 */
export async function resolveUser(container: Docker.Container, user: string): Promise<Owner> {
  const [name = '', group] = (user === '' ? '0' : user).split(':');
  const account = await entry(container, '/etc/passwd', name);
  const uid = isNumber(name) ? Number(name) : Number(account?.[2]);
  // Without a group it is the account's own; without an account, root's, as the engine has it.
  const gid = group === undefined ? Number(account?.[3] ?? 0) : await resolveGroup(container, group);
  if (Number.isNaN(uid) || Number.isNaN(gid)) throw new StartFailedError(`the image has no user ${user}`);
  return { uid, gid };
}

async function resolveGroup(container: Docker.Container, group: string): Promise<number> {
  if (isNumber(group)) return Number(group);
  return Number((await entry(container, '/etc/group', group))?.[2]);
}

/** The line of a passwd(5) or group(5) file that has this name or number. */
async function entry(container: Docker.Container, path: string, key: string): Promise<string[] | undefined> {
  const archive = await find(container.getArchive({ path }));
  if (archive === null) return undefined;
  const lines = firstFile(await ask(buffer(archive))).split('\n');
  return lines.map((line) => line.split(':')).find(([name, , id]) => name === key || id === key);
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
