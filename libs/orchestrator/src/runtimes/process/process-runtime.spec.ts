import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from '../../../../../test/support/eventually.js';
import { freePort } from '../../../../../test/support/free-port.js';
import { getJson } from '../../../../../test/support/get-json.js';
import type { SliceInstance, SliceSpec } from '../slice-runtime.js';
import { RuntimeUnavailableError } from '../errors.js';
import { launch } from './launch.js';
import { ProcessRuntime } from './process-runtime.js';
import type { ProcessTable } from './process-table.js';
import { writeRunRecord } from './run-record.js';
import { systemProcessTable } from './system-process-table.js';

const table = systemProcessTable();
const startedAt = new Date();

async function spec(over: Partial<SliceSpec> = {}): Promise<SliceSpec> {
  const command = ['node', resolve('test/support/tiny-app.mjs')];
  const slice = { id: 1, name: 'a', generation: 1, image: null, command, env: {}, memoryBytes: 0, cpus: 1 };
  return { ...slice, port: await freePort(), ...over };
}

function get(instance: SliceInstance, path: string): Promise<unknown> {
  return eventually(() => getJson(`http://127.0.0.1:${instance.port}${path}`));
}

describe('ProcessRuntime', () => {
  let dataDir: string;
  let runtime: ProcessRuntime;
  let folder: string;
  const strangers: ChildProcess[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-process-'));
    runtime = new ProcessRuntime({ dataDir, installationId: 'test', maxLogBytes: 2_000 });
    folder = join(dataDir, 'test', '1');
    await mkdir(folder, { recursive: true });
  });

  afterEach(async () => {
    await runtime.shutdown(0);
    for (const child of strangers.splice(0)) child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A process that has nothing to do with slices, and the first thing it prints. */
  async function stranger(
    program: string,
    ...args: string[]
  ): Promise<{ pid: number; output: Promise<string> }> {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    strangers.push(child);
    const output = once(child.stdout, 'data').then(String);
    await once(child, 'spawn');
    return { pid: child.pid ?? 0, output };
  }

  it('leaves a process alone that was given a slice’s pid', async () => {
    const { pid } = await stranger('sleep', '1000');
    const identity = await table.identify(pid);
    if (identity === null) throw new Error('the stranger runs');
    for (const other of [{ startTime: '1' }, { bootId: 'of another boot' }]) {
      await writeRunRecord(folder, { ...identity, ...other, generation: 1, port: 1, startedAt });
      expect(await runtime.inspect(1)).toMatchObject({ state: 'exited' });
      await runtime.stop(1, 0);
      expect(await runtime.inspect(1)).toBeNull();
    }
    expect(await table.identify(pid)).toEqual(identity);
  });

  it('leaves a process group alone that was given a slice’s pid', async () => {
    const leader = await stranger('sh', '-c', 'sleep 1000 & echo $!');
    const identity = await table.identify(leader.pid);
    const pid = Number(await leader.output);
    await eventually(async () => expect(await table.identify(leader.pid)).toBeNull());
    expect(await table.members(leader.pid)).toEqual([pid]);
    await writeRunRecord(folder, {
      pid: leader.pid,
      startTime: identity?.startTime ?? '',
      bootId: identity?.bootId ?? '',
      generation: 1,
      port: 1,
      startedAt,
    });
    await runtime.stop(1, 0);
    expect(await table.members(leader.pid)).toEqual([pid]);
    process.kill(pid, 'SIGKILL');
  });

  it('starts no slice when the gateway dies before the process is on record', async () => {
    const launched = await launch(join(folder, 'output.log'));
    // The kernel does the same for a process that is killed.
    Object(launched.child.stdio[3]).destroy();
    await once(launched.child, 'exit');
    expect(await runtime.inspect(1)).toBeNull();
    expect(await runtime.start(await spec())).toMatchObject({ state: 'running' });
  });

  it('starts no slice when the gateway dies before the plan is sent, and heals at the next start', async () => {
    const launched = await launch(join(folder, 'output.log'));
    const identity = await table.identify(launched.pid);
    if (identity === null) throw new Error('the launcher waits');
    await writeRunRecord(folder, { ...identity, generation: 1, port: 1, startedAt });
    Object(launched.child.stdio[3]).end('{"program":"/bin/sleep","args":["sleep","10');
    await once(launched.child, 'exit');
    expect(await runtime.inspect(1)).toMatchObject({ state: 'exited' });
    const instance = await runtime.start(await spec());
    expect(instance.state).toBe('running');
    expect(instance.ref).not.toBe(String(launched.pid));
  });

  it('ends the children of a slice whose first process is gone', async () => {
    const instance = await runtime.start(await spec());
    const child = Number(Object(await get(instance, '/fork')).pid);
    await get(instance, '/exit?code=1');
    await eventually(async () => expect(await runtime.inspect(1)).toMatchObject({ state: 'exited' }));
    expect(await table.identify(child)).not.toBeNull();
    await runtime.stop(1, 5_000);
    expect(await table.identify(child)).toBeNull();
  });

  it('stops every slice at the orderly end of the gateway', async () => {
    const instances = [await runtime.start(await spec()), await runtime.start(await spec({ id: 2 }))];
    await Promise.all(instances.map((each) => get(each, '/health')));
    await runtime.shutdown(5_000);
    expect(await runtime.list()).toEqual([]);
    for (const { ref } of instances) expect(await table.members(Number(ref))).toEqual([]);
  });

  it('keeps a slice’s log in bounds while it runs', async () => {
    const instance = await runtime.start(await spec());
    const log = join(folder, 'output.log');
    for (let i = 0; i < 30; i += 1) await get(instance, `/log?line=${'x'.repeat(100)}`);
    await runtime.inspect(1);
    await get(instance, '/log?line=after');
    await eventually(async () => expect(await readFile(log, 'utf8')).toBe('after\n'));
    expect((await stat(`${log}.1`)).size).toBeGreaterThan(3_000);
  });

  it('keeps a slice’s log in bounds also when there is no room for its copy', async () => {
    await runtime.start(await spec());
    const log = join(folder, 'output.log');
    await writeFile(log, 'x'.repeat(3_000));
    // Nothing can be copied over a folder.
    await mkdir(join(`${log}.1`, 'full'), { recursive: true });
    expect(await runtime.list()).toMatchObject([{ state: 'running' }]);
    expect((await stat(log)).size).toBe(0);
  });

  it('starts no second copy of a slice when it can’t read what is on record', async () => {
    await runtime.start(await spec());
    const record = join(folder, 'run.json');
    await rename(record, `${record}.away`);
    // Opens, and does not read: EISDIR.
    await mkdir(record);
    await expect(runtime.start(await spec())).rejects.toThrow(RuntimeUnavailableError);
    await expect(runtime.stop(1, 0)).rejects.toThrow(RuntimeUnavailableError);
    await expect(runtime.list()).rejects.toThrow(RuntimeUnavailableError);
    await rmdir(record);
    await rename(`${record}.away`, record);
  });

  it('ends the others, at the end of the gateway, when one slice can’t be', async () => {
    const instance = await runtime.start(await spec({ id: 2 }));
    await mkdir(join(folder, 'run.json'));
    await expect(runtime.shutdown(0)).rejects.toThrow(RuntimeUnavailableError);
    expect(await table.members(Number(instance.ref))).toEqual([]);
    await rmdir(join(folder, 'run.json'));
  });

  it('leaves no process behind that could not be put on record', async () => {
    const seen: number[] = [];
    const watched: ProcessTable = {
      identify: (pid) => {
        seen.push(pid);
        return table.identify(pid);
      },
      members: (groupId) => table.members(groupId),
      hasEnvironment: (...asked) => table.hasEnvironment(...asked),
      usage: (pids) => table.usage(pids),
    };
    const processes = new ProcessRuntime({ dataDir, installationId: 'test', processTable: watched });
    await mkdir(join(folder, 'run.json.part'));
    await expect(processes.start(await spec())).rejects.toThrow('EISDIR');
    expect(seen).toHaveLength(1);
    await eventually(async () => expect(await table.identify(seen[0] ?? 0)).toBeNull());
  });
});
