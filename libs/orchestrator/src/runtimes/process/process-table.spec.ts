import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { ProcfsTable } from './procfs-table.js';
import { PsTable } from './ps-table.js';

const tables = [
  { name: 'ProcfsTable', table: new ProcfsTable(), isHere: existsSync('/proc/self/stat') },
  { name: 'PsTable', table: new PsTable(), isHere: existsSync('/bin/ps') },
].filter(({ isHere }) => isHere);

describe.each(tables)('$name', ({ table }) => {
  it('tells a process by the same identity at every look', async () => {
    const identity = await table.identify(process.pid);
    expect(identity?.pid).toBe(process.pid);
    expect(identity?.startTime).not.toBe('');
    expect(await table.identify(process.pid)).toEqual(identity);
  });

  it('finds a process group, and nothing of it once it ended', async () => {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(await table.members(pid)).toEqual([pid]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await table.members(pid)).toEqual([]);
    expect(await table.identify(pid)).toBeNull();
  });

  it('counts what processes use, and nothing for those that are gone', async () => {
    const used = await table.usage([process.pid]);
    expect(used.memoryBytes).toBeGreaterThan(20 * 1024 * 1024);
    // ps counts whole seconds.
    expect(used.cpuSeconds).toBeGreaterThanOrEqual(0);
    expect(used.cpuSeconds).toBeLessThan(3_600);
    expect(await table.usage([2 ** 22 + 1])).toEqual({ memoryBytes: 0, cpuSeconds: 0 });
  });
});
