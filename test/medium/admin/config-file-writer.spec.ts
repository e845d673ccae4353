import { execFile, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeConfigFile } from '../../../libs/admin/src/config/config-file-writer.js';

const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0;
const whereMounted = canMount ? it : it.skip;
const unlessItCan = canMount ? '' : ' (skipped: no namespaces here)';

describe('config.yml is written', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-write-'));
    file = join(folder, 'config.yml');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  it('where there was none', async () => {
    expect(await writeConfigFile(file, 'one')).toEqual({ backedUp: true });
    expect(readdirSync(folder)).toEqual(['config.yml']);
    expect(read('config.yml')).toBe('one');
  });

  it('as another file, which keeps what it was allowed, with the one before beside it', async () => {
    writeFileSync(file, 'one');
    chmodSync(file, 0o640);
    const before = statSync(file);
    await writeConfigFile(file, 'two');
    expect(statSync(file).ino).not.toBe(before.ino);
    await writeConfigFile(file, 'three');
    expect(readdirSync(folder)).toEqual(['config.yml', 'config.yml.bak']);
    expect([read('config.yml'), read('config.yml.bak')]).toEqual(['three', 'two']);
    expect(statSync(file)).toMatchObject({ mode: before.mode, uid: before.uid, gid: before.gid });
  });

  it('where nobody else may read it, not even while it is written', async () => {
    writeFileSync(file, 'one');
    chmodSync(file, 0o600);
    const modes = new Set<number>();
    const done = new AbortController();
    // So much that it is written in many steps.
    const writing = writeConfigFile(file, 'x'.repeat(32_000_000)).finally(() => done.abort());
    for (; !done.signal.aborted; await setImmediate()) {
      for (const name of readdirSync(folder).filter((each) => each.endsWith('.new'))) {
        const found = statSync(join(folder, name), { throwIfNoEntry: false });
        if (found !== undefined) modes.add(found.mode & 0o777);
      }
    }
    await writing;
    expect([...modes]).toEqual([0o600]);
  });

  it('through a link, which stays one', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'its.yml'), 'one');
    symlinkSync('real/its.yml', file);
    await writeConfigFile(file, 'two');
    expect(readlinkSync(file)).toBe('real/its.yml');
    expect(read('real/its.yml')).toBe('two');
  });

  it('not at all where it can not be, and nothing is left of the attempt', async () => {
    await expect(writeConfigFile('/proc/sluice-config.yml', 'one')).rejects.toThrow();
    await expect(writeConfigFile(join(file, 'below-nothing.yml'), 'one')).rejects.toThrow(/ENOENT/);
    mkdirSync(file);
    await expect(writeConfigFile(file, 'one')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['config.yml']);
  });

  whereMounted(`in its place where it is mounted by itself${unlessItCan}`, async () => {
    writeFileSync(file, 'one, which is longer');
    const loader = fileURLToPath(new URL('../../support/typescript-loader.ts', import.meta.url));
    const writer = new URL('../../../libs/admin/src/config/config-file-writer.ts', import.meta.url);
    const program = `import { writeConfigFile } from '${writer.href}';
      process.stdout.write(JSON.stringify(await writeConfigFile(process.argv[1], 'two')));`;
    const { stdout } = await promisify(execFile)('unshare', [
      '-rm',
      'sh',
      '-c',
      'mount --bind "$1" "$1" && exec "$2" --import "$3" --input-type=module -e "$4" "$1"',
      'sh',
      file,
      process.execPath,
      loader,
      program,
    ]);
    expect(JSON.parse(stdout)).toEqual({ backedUp: true });
    expect(readdirSync(folder)).toEqual(['config.yml', 'config.yml.bak']);
    expect([read('config.yml'), read('config.yml.bak')]).toEqual(['two', 'one, which is longer']);
  });
});
