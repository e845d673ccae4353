import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptName } from './kept-name.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-name-'));
  file = join(folder, 'in', 'it', 'name');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the name that is kept in a file', () => {
  it('is made once, and is the same for all that ask at the same moment', async () => {
    const names = await Promise.all(Array.from({ length: 20 }, () => keptName(file)));
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(await readFile(file, 'utf8')).toBe(names[0]);
    expect(await keptName(file)).toBe(names[0]);
    expect(await readdir(join(folder, 'in', 'it'))).toEqual(['name']);
  });

  it('is made anew where a crash has left none in it', async () => {
    const empty = join(folder, 'name');
    await writeFile(empty, '');
    const name = await keptName(empty);
    expect(name).toMatch(/^[0-9a-f]{32}$/);
    expect(await keptName(empty)).toBe(name);
  });

  it('leaves nothing behind where it can not be kept', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(keptName(join(folder, 'file', 'name'))).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['file']);
  });
});
