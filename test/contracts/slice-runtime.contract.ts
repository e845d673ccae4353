import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  PortTakenError,
  type SliceInstance,
  type SliceRuntime,
  type SliceSpec,
  StartFailedError,
} from '#orchestrator';
import { eventually } from '../support/eventually.js';

/** One way of running slices, as the suite drives it. */
export interface RuntimeWorld {
  /** A new runtime object, as another gateway or the same one after a restart would make it. */
  open(installationId: string): SliceRuntime;
  /** What makes the runtime run test/support/tiny-app.mjs. */
  readonly app: Pick<SliceSpec, 'image' | 'command'>;
  /** What it can't run: no such image or program. */
  readonly noApp: Pick<SliceSpec, 'image' | 'command'>;
  /** Whether each slice is on a network of its own. */
  readonly ownNetworks: boolean;
  /** A port for the next slice; null where a slice publishes none. */
  nextPort(): Promise<number | null>;
  /** Listens on a port until the answer is called. */
  occupy(port: number): Promise<() => Promise<void>>;
  /** Asks a slice as the gateway would. */
  get(instance: SliceInstance, path: string): Promise<unknown>;
  /** Names of whatever is left of these installations, data and all. */
  leftovers(installationIds: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** What every SliceRuntime does. */
export function sliceRuntimeContract(title: string, enter: () => Promise<RuntimeWorld>): void {
  describe(title, () => {
    let world: RuntimeWorld;
    let installation: string;
    let runtime: SliceRuntime;
    const opened = new Set<SliceRuntime>();

    beforeAll(async () => {
      world = await enter();
    }, 120_000);

    afterAll(async () => {
      await world.close();
    });

    beforeEach(() => {
      installation = `t${randomUUID().slice(0, 8)}`;
      runtime = open(installation);
    });

    afterEach(async () => {
      for (const each of opened) {
        const ids = new Set([
          ...(await each.list()).map(({ sliceId }) => sliceId),
          ...(await each.listData()),
        ]);
        for (const id of ids) {
          await each.stop(id, 0);
          await each.removeData(id);
        }
      }
      opened.clear();
    });

    function open(id: string): SliceRuntime {
      const opening = world.open(id);
      opened.add(opening);
      return opening;
    }

    async function spec(over: Partial<SliceSpec> = {}): Promise<SliceSpec> {
      return {
        id: 1,
        name: 'acme',
        generation: 1,
        ...world.app,
        env: {},
        memoryBytes: 128 * 1024 * 1024,
        cpus: 1,
        port: await world.nextPort(),
        ...over,
      };
    }

    /** Waits until the slice answers. */
    function get(instance: SliceInstance, path: string): Promise<unknown> {
      return eventually(() => world.get(instance, path));
    }

    async function started(over: Partial<SliceSpec> = {}): Promise<SliceInstance> {
      const instance = await runtime.start(await spec(over));
      await get(instance, '/health');
      return instance;
    }

    const exited = (sliceId: number): Promise<SliceInstance | null> =>
      eventually(async () => {
        const instance = await runtime.inspect(sliceId);
        expect(instance?.state).toBe('exited');
        return instance;
      });

    it('says that slices can run here', async () => {
      await expect(runtime.check()).resolves.toBeUndefined();
    });

    describe('start', () => {
      it('brings the slice up where it says', async () => {
        const before = Date.now();
        const wanted = await spec({ generation: 7 });
        const instance = await runtime.start(wanted);
        expect(instance).toMatchObject({ sliceId: 1, generation: 7, state: 'running' });
        if (wanted.port !== null) expect(instance.port).toBe(wanted.port);
        expect(Math.abs(instance.startedAt.getTime() - before)).toBeLessThan(10_000);
        expect(await get(instance, '/health')).toMatchObject({ ok: true });
      });

      it('returns the instance of the same generation that runs', async () => {
        const wanted = await spec();
        const first = await runtime.start(wanted);
        expect(await runtime.start(wanted)).toEqual(first);
      });

      it('adopts what another gateway started', async () => {
        const wanted = await spec();
        const first = await runtime.start(wanted);
        const other = open(installation);
        expect(await other.inspect(1)).toEqual(first);
        expect(await other.start(wanted)).toEqual(first);
        await other.stop(1, 5_000);
        expect(await runtime.inspect(1)).toBeNull();
      });

      it('replaces an instance of another generation, and keeps its data', async () => {
        const old = await started({ env: { COLOUR: 'red' } });
        await get(old, '/write?name=note&text=kept');
        const instance = await runtime.start(
          await spec({ generation: 2, port: portOf(old), env: { COLOUR: 'blue' } }),
        );
        expect(instance).toMatchObject({ generation: 2, state: 'running' });
        expect(instance.ref).not.toBe(old.ref);
        expect(await get(instance, '/env')).toMatchObject({ COLOUR: 'blue' });
        expect(await get(instance, '/read?name=note')).toEqual({ text: 'kept' });
        expect(await runtime.list()).toHaveLength(1);
      });

      it('replaces an instance of the same generation that ended', async () => {
        const wanted = await spec();
        const ended = await runtime.start(wanted);
        await get(ended, '/exit?code=0');
        await exited(1);
        const instance = await runtime.start(wanted);
        expect(instance.ref).not.toBe(ended.ref);
        expect(await get(instance, '/health')).toMatchObject({ ok: true });
      });

      it('says that the port is taken, leaves nothing behind, and starts once it is free', async () => {
        const wanted = await spec();
        if (wanted.port === null) return;
        const release = await world.occupy(wanted.port);
        await expect(runtime.start(wanted)).rejects.toThrow(PortTakenError);
        expect(await runtime.list()).toEqual([]);
        await release();
        expect(await runtime.start(wanted)).toMatchObject({ state: 'running' });
      });

      it('says that the port is taken by another slice', async () => {
        const first = await spec();
        if (first.port === null) return;
        await get(await runtime.start(first), '/health');
        await expect(runtime.start({ ...first, id: 2 })).rejects.toMatchObject({ port: first.port });
        expect((await runtime.list()).map(({ sliceId }) => sliceId)).toEqual([1]);
      });

      it('says what it can not run', async () => {
        await expect(runtime.start(await spec(world.noApp))).rejects.toThrow(StartFailedError);
        expect(await runtime.list()).toEqual([]);
      });

      it('starts nothing once it is told to stop', async () => {
        await expect(runtime.start(await spec(), AbortSignal.abort())).rejects.toThrow(/abort/i);
        expect(await runtime.list()).toEqual([]);
      });

      it('starts several at once', async () => {
        const specs = await Promise.all([1, 2, 3, 4].map((id) => spec({ id })));
        const instances = await Promise.all(specs.map((each) => runtime.start(each)));
        await Promise.all(instances.map((each) => get(each, '/health')));
        expect((await runtime.list()).map(({ sliceId }) => sliceId).toSorted((a, b) => a - b)).toEqual([
          1, 2, 3, 4,
        ]);
      });
    });

    describe('environment', () => {
      it('is the slice’s own, with PORT, HOST and DATA_DIR, and nothing of the gateway’s', async () => {
        process.env['GATEWAY_SECRET'] = 'of the gateway';
        try {
          const instance = await started({
            env: { SLICE_ID: '1', PORT: '1', DATA_DIR: '/etc', 'odd.name': 'a b' },
          });
          const env = Object(await get(instance, '/env'));
          expect(env).toMatchObject({ SLICE_ID: '1', 'odd.name': 'a b' });
          expect(env['PORT']).not.toBe('1');
          expect(env['DATA_DIR']).not.toBe('/etc');
          const known = new Set(['SLICE_ID', 'odd.name', 'PORT', 'HOST', 'DATA_DIR', 'PATH', 'HOME']);
          const ofTheImage = new Set(['HOSTNAME', 'NODE_EXTRA_CA_CERTS', 'NODE_VERSION', 'YARN_VERSION']);
          expect(Object.keys(env).filter((name) => !known.has(name) && !ofTheImage.has(name))).toEqual([]);
        } finally {
          delete process.env['GATEWAY_SECRET'];
        }
      });
    });

    describe('stop', () => {
      it('ends the slice and keeps its data', async () => {
        const instance = await started();
        await get(instance, '/write?name=note&text=kept');
        expect(await runtime.listNetworks()).toEqual(world.ownNetworks ? [1] : []);
        await runtime.stop(1, 5_000);
        expect(await runtime.listNetworks()).toEqual([]);
        await expect(world.get(instance, '/health')).rejects.toThrow();
        expect(await runtime.inspect(1)).toBeNull();
        expect(await runtime.list()).toEqual([]);
        expect(await runtime.listData()).toEqual([1]);
        const again = await started({ generation: 2 });
        expect(await get(again, '/read?name=note')).toEqual({ text: 'kept' });
      });

      it('may be repeated, and said of a slice that never was', async () => {
        await started();
        await runtime.stop(1, 5_000);
        await expect(runtime.stop(1, 5_000)).resolves.toBeUndefined();
        await expect(runtime.stop(99, 5_000)).resolves.toBeUndefined();
      });

      it('kills a slice that ignores SIGTERM once its grace is over', async () => {
        const instance = await started({ env: { IGNORE_SIGTERM: '1' } });
        const before = performance.now();
        await runtime.stop(1, 1_000);
        expect(performance.now() - before).toBeGreaterThan(950);
        await expect(world.get(instance, '/health')).rejects.toThrow();
        expect(await runtime.inspect(1)).toBeNull();
      });

      it('does not wait for the grace to pass when the slice ends sooner', async () => {
        await started();
        const before = performance.now();
        await runtime.stop(1, 60_000);
        expect(performance.now() - before).toBeLessThan(15_000);
      });

      it('stops what has ended by itself', async () => {
        await get(await started(), '/exit?code=0');
        await exited(1);
        await runtime.stop(1, 5_000);
        expect(await runtime.inspect(1)).toBeNull();
      });
    });

    describe('inspect', () => {
      it('knows nothing of a slice that never was', async () => {
        expect(await runtime.inspect(42)).toBeNull();
      });

      it('sees that a slice ended, and how', async () => {
        await get(await started(), '/exit?code=3');
        await exited(1);
        // That it has ended can be seen a moment before how.
        await eventually(async () =>
          expect(await runtime.inspect(1)).toMatchObject({ sliceId: 1, generation: 1, exitCode: 3 }),
        );
      });
    });

    describe('data', () => {
      it('is gone once it is removed, which may be repeated', async () => {
        await get(await started(), '/write?name=note&text=old');
        await runtime.stop(1, 5_000);
        await runtime.removeData(1);
        await runtime.removeData(1);
        expect(await runtime.listData()).toEqual([]);
        const again = await started({ generation: 2 });
        expect(await get(again, '/read?name=note')).toEqual({ text: null });
      });

      it('leaves nothing of the slice in the world together with stop', async () => {
        await started();
        await runtime.stop(1, 5_000);
        await runtime.removeData(1);
        expect(await world.leftovers([installation])).toEqual([]);
      });
    });

    describe('another installation on the same machine', () => {
      it('is neither listed nor touched', async () => {
        const theirs = open(`${installation}x`);
        const instance = await theirs.start(await spec());
        await get(instance, '/health');
        expect(await runtime.list()).toEqual([]);
        expect(await runtime.listData()).toEqual([]);
        expect(await runtime.listNetworks()).toEqual([]);
        expect(await runtime.inspect(1)).toBeNull();
        await runtime.stop(1, 0);
        await runtime.removeData(1);
        await runtime.shutdown(0);
        expect(await get(instance, '/health')).toMatchObject({ ok: true });
      });
    });

    describe('logs', () => {
      it('are the last lines of both streams', async () => {
        const instance = await started();
        for (const line of ['one', 'two', 'three']) await get(instance, `/log?line=${line}`);
        await eventually(async () => expect(await runtime.logs(1, 2)).toBe('two\nthree'));
        expect((await runtime.logs(1, 100)).split('\n')).toHaveLength(4);
      });

      it('tell why a slice ended at once', async () => {
        await runtime.start(await spec({ env: { CRASH: 'no licence' } }));
        await exited(1);
        expect(await runtime.logs(1, 10)).toContain('crashing: no licence');
      });

      it('are empty for a slice that never was', async () => {
        expect(await runtime.logs(42, 10)).toBe('');
      });
    });

    describe('logs that are followed', () => {
      it('are the last lines, and then each as it is written', async () => {
        const instance = await started();
        for (const line of ['one', 'two']) await get(instance, `/log?line=${line}`);
        await eventually(async () => expect(await runtime.logs(1, 1)).toBe('two'));
        const ending = new AbortController();
        const lines = runtime.followLogs(1, 1, ending.signal)[Symbol.asyncIterator]();
        expect(await lines.next()).toEqual({ done: false, value: 'two' });
        await get(instance, '/log?line=three');
        expect(await lines.next()).toEqual({ done: false, value: 'three' });
        await get(instance, `/log?line=${'x'.repeat(7000)}`);
        expect(await lines.next()).toEqual({ done: false, value: 'x'.repeat(7000) });
        const last = lines.next();
        ending.abort();
        expect(await last).toEqual({ done: true, value: undefined });
      });

      it('go on when the slice is started anew', async () => {
        const first = await started();
        const ending = new AbortController();
        const lines = until(runtime.followLogs(1, 10, ending.signal), 'after');
        await get(first, '/log?line=before');
        await eventually(async () => expect(await runtime.logs(1, 1)).toBe('before'));
        const second = await started({ generation: 2, port: portOf(first) });
        await get(second, '/log?line=after');
        const taken = await lines;
        expect(taken.indexOf('before')).toBeGreaterThan(-1);
        expect(taken.filter((line) => line.startsWith('listening on'))).toHaveLength(2);
        ending.abort();
      });

      it('begin when there is something to follow', async () => {
        const ending = new AbortController();
        const lines = until(runtime.followLogs(1, 10, ending.signal), 'first');
        await get(await started(), '/log?line=first');
        expect(await lines).toContain('first');
        ending.abort();
      });
    });

    describe('usage', () => {
      it('is what the slice takes', async () => {
        const instance = await started();
        const before = await runtime.usage(1);
        await get(instance, `/allocate?bytes=${40 * 1024 * 1024}`);
        const after = await runtime.usage(1);
        expect(before?.memoryBytes).toBeGreaterThan(5 * 1024 * 1024);
        expect(after?.memoryBytes).toBeGreaterThan((before?.memoryBytes ?? 0) + 20 * 1024 * 1024);
        expect(after?.cpuSeconds).toBeGreaterThan(0);
        expect(after?.cpuSeconds).toBeLessThan(60);
      });

      it('is unknown of a slice that does not run', async () => {
        await get(await started(), '/exit?code=0');
        await exited(1);
        expect(await runtime.usage(1)).toBeNull();
        expect(await runtime.usage(42)).toBeNull();
      });
    });
  });
}

/** The published port an instance was given, to be given again; null where slices publish none. */
function portOf(instance: SliceInstance): number | null {
  return instance.host === '127.0.0.1' ? instance.port : null;
}

/** Takes lines until the last of them is the one looked for. */
async function until(lines: AsyncIterable<string>, last: string): Promise<string[]> {
  const taken: string[] = [];
  for await (const line of lines) {
    taken.push(line);
    if (line === last) break;
  }
  return taken;
}
