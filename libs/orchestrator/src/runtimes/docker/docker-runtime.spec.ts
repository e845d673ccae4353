import { afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type Docker from 'dockerode';
import { randomUUID } from 'node:crypto';
import {
  buildTinyApp,
  describeWithDocker,
  docker,
  removeNetworks,
  TEST_SUBNETS,
  TINY_APP_IMAGE,
} from '../../../../../test/support/docker.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { freePort } from '../../../../../test/support/free-port.js';
import { getJson } from '../../../../../test/support/get-json.js';
import { ForeignResourceError, RuntimeUnavailableError, StartFailedError } from '../errors.js';
import type { SliceInstance, SliceSpec } from '../slice-runtime.js';
import { DockerRuntime } from './docker-runtime.js';
import { resolveUser } from './image-user.js';

const MIB = 1024 * 1024;

async function spec(over: Partial<SliceSpec> = {}): Promise<SliceSpec> {
  const slice = { id: 1, name: 'a', generation: 1, image: TINY_APP_IMAGE, command: null, env: {}, cpus: 0.5 };
  return { ...slice, memoryBytes: 96 * MIB, port: await freePort(), ...over };
}

async function get(instance: SliceInstance, path: string): Promise<object> {
  return Object(await eventually(() => getJson(`http://${instance.host}:${instance.port}${path}`)));
}

describeWithDocker('DockerRuntime', () => {
  let installationId: string;
  let runtime: DockerRuntime;
  /** Containers of the tests' own. */
  const strangers: string[] = [];

  beforeAll(buildTinyApp, 120_000);

  beforeEach(() => {
    installationId = `d${randomUUID().slice(0, 8)}`;
    runtime = new DockerRuntime({ installationId, host: null, network: null });
  });

  afterEach(async () => {
    for (const id of strangers.splice(0)) await docker.getContainer(id).remove({ force: true });
    for (const id of await runtime.listData()) await runtime.removeData(id);
    await removeNetworks(installationId);
  });

  async function stranger(name: string, labels: Record<string, string> = {}): Promise<string> {
    const container = await docker.createContainer({
      name,
      Image: TINY_APP_IMAGE,
      Labels: labels,
      HostConfig: { Init: true },
    });
    strangers.push(container.id);
    return container.id;
  }

  it('runs slices without a privilege, on a root they can not change, with limits', async () => {
    const instance = await runtime.start(await spec());
    const { text } = Object(await get(instance, '/read-file?path=/proc/self/status'));
    expect(text).toMatch(/^CapEff:\s+0+$/m);
    expect(text).toMatch(/^CapBnd:\s+0+$/m);
    expect(text).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(await get(instance, '/write-root')).toEqual({ code: 'EROFS' });
    const { HostConfig } = await docker.getContainer(instance.ref).inspect();
    expect(HostConfig).toMatchObject({
      Memory: 96 * MIB,
      NanoCpus: 5e8,
      PidsLimit: 512,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10485760', 'max-file': '3' } },
    });
  });

  it('ends a slice that takes more memory than it may', async () => {
    const instance = await runtime.start(await spec());
    await get(instance, '/health');
    const asked = getJson(`http://127.0.0.1:${instance.port}/allocate?bytes=${400 * MIB}`);
    await expect(asked).rejects.toThrow();
    const ended = await eventually(async () => {
      const seen = await runtime.inspect(1);
      expect(seen?.state).toBe('exited');
      return seen;
    });
    expect(ended?.exitCode).toBe(137);
  });

  it('gives the volume to the user the image runs as', async () => {
    const instance = await runtime.start(await spec());
    expect(await get(instance, '/user')).toEqual({ uid: 1000, gid: 1000 });
    expect(await get(instance, '/write?name=note&text=mine')).toEqual({ ok: true });
  });

  it.each([
    ['', { uid: 0, gid: 0 }],
    ['node', { uid: 1000, gid: 1000 }],
    ['1000', { uid: 1000, gid: 1000 }],
    ['4711', { uid: 4711, gid: 0 }],
    ['node:root', { uid: 1000, gid: 0 }],
    ['0:4711', { uid: 0, gid: 4711 }],
  ])('reads an image’s user %j as the engine does', async (user, owner) => {
    const container = docker.getContainer(await stranger(`sluice-test-${installationId}`));
    expect(await resolveUser(container, user)).toEqual(owner);
    await expect(resolveUser(container, 'nobody-here')).rejects.toThrow(StartFailedError);
  });

  it('heals what a start that was cut short left behind', async () => {
    const name = `sluice-${installationId}-slice-1`;
    const labels = { 'sluice.installation': installationId };
    const left = await stranger(name, { ...labels, 'sluice.slice': '1', 'sluice.generation': '1' });
    await stranger(`${name}-data`, labels);
    expect(await runtime.inspect(1)).toMatchObject({ state: 'exited', ref: left });
    const instance = await runtime.start(await spec());
    expect(instance.state).toBe('running');
    strangers.length = 0;
    expect(
      await docker.listContainers({
        all: true,
        filters: { label: [`sluice.installation=${installationId}`] },
      }),
    ).toHaveLength(1);
  });

  it('refuses to touch a container, a volume or a network that has our name but is not ours', async () => {
    const name = `sluice-${installationId}-slice-1`;
    const id = await stranger(name);
    await expect(runtime.start(await spec())).rejects.toThrow(ForeignResourceError);
    await expect(runtime.stop(1, 0)).rejects.toThrow(ForeignResourceError);
    expect((await docker.getContainer(id).inspect()).Name).toBe(`/${name}`);

    await docker.createVolume({ Name: `sluice-${installationId}-slice-2` });
    await expect(runtime.start(await spec({ id: 2 }))).rejects.toThrow(ForeignResourceError);
    await expect(runtime.removeData(2)).rejects.toThrow(ForeignResourceError);
    await docker.getVolume(`sluice-${installationId}-slice-2`).remove();

    const network = await docker.createNetwork({ Name: `sluice-${installationId}` });
    await expect(runtime.start(await spec({ id: 3 }))).rejects.toThrow(ForeignResourceError);
    await network.remove();
  });

  it('refuses a network of ours on which slices could reach each other', async () => {
    const network = await docker.createNetwork({
      Name: `sluice-${installationId}`,
      Labels: { 'sluice.installation': installationId },
    });
    await expect(runtime.start(await spec())).rejects.toThrow(/enable_icc is not false/);
    await network.remove();
    expect(await runtime.start(await spec())).toMatchObject({ state: 'running' });
  });

  it('runs the very image its volume was handed over for', async () => {
    const { ref } = await runtime.start(await spec());
    const { Config, Image } = await docker.getContainer(ref).inspect();
    expect(Config.Image).toBe(Image);
  });

  it('lists what runs, what is paused and what has ended, by one question to the engine', async () => {
    const running = await runtime.start(await spec({ generation: 3 }));
    const paused = await runtime.start(await spec({ id: 2 }));
    const ended = await runtime.start(await spec({ id: 3 }));
    await docker.getContainer(paused.ref).pause();
    await docker.getContainer(ended.ref).kill();
    const anyContainer: Docker.Container = Object.getPrototypeOf(docker.getContainer(''));
    const inspect = jest.spyOn(anyContainer, 'inspect');
    const listed = (await runtime.list()).toSorted((a, b) => a.sliceId - b.sliceId);
    expect(listed).toEqual([
      { sliceId: 1, generation: 3, state: running.state },
      { sliceId: 2, generation: 1, state: 'running' },
      { sliceId: 3, generation: 1, state: 'exited' },
    ]);
    expect(inspect).not.toHaveBeenCalled();
    inspect.mockRestore();
    await docker.getContainer(paused.ref).unpause();
  });

  it('says that an image is not to be had', async () => {
    const start = runtime.start(await spec({ image: 'sluice-test/no-such-image:1' }));
    await expect(start).rejects.toThrow(
      /image sluice-test\/no-such-image:1 is not on this host, and can't be pulled: ./,
    );
  });

  it('says that the engine is down', async () => {
    const down = new DockerRuntime({ installationId, host: 'unix:///nowhere/docker.sock', network: null });
    await expect(down.check()).rejects.toThrow(RuntimeUnavailableError);
    await expect(down.start(await spec())).rejects.toThrow(RuntimeUnavailableError);
    await expect(down.stop(1, 0)).rejects.toThrow(RuntimeUnavailableError);
    await expect(down.list()).rejects.toThrow(RuntimeUnavailableError);
  });

  it('joins each slice’s network again when the gateway’s container was replaced', async () => {
    const network = { prefix: `net-${installationId}`, subnetPool: TEST_SUBNETS };
    const gateways = [await stranger(`gw1-${installationId}`), await stranger(`gw2-${installationId}`)];
    for (const id of gateways) await docker.getContainer(id).start();
    const [first, second] = gateways.map(
      (gateway) => new DockerRuntime({ installationId, host: null, network: { ...network, gateway } }),
    );
    runtime = first ?? runtime;
    const wanted = await spec({ port: null });
    const instance = await first?.start(wanted);
    // Many requests at once, as a new gateway gets them.
    await Promise.all(Array.from({ length: 5 }, async () => second?.reach(1)));
    expect(await second?.start(wanted)).toEqual(instance);
    const { Containers, IPAM } = Object(await docker.getNetwork(`${network.prefix}-slice-1`).inspect());
    expect(new Set(Object.keys(Containers))).toEqual(new Set([instance?.ref, ...gateways]));
    expect(IPAM.Config[0].Subnet).toMatch(/^10\.214\.\d+\.\d+\/28$/);
  });

  it('lets a slice find a service beside the gateway by the name it has there, and no other', async () => {
    const beside = await docker.createNetwork({ Name: `compose-${installationId}` });
    const gateway = await stranger(`gw-${installationId}`);
    const database = await stranger(`db-${installationId}`);
    await beside.connect({ Container: gateway });
    await beside.connect({ Container: database, EndpointConfig: { Aliases: ['postgres'] } });
    for (const id of [gateway, database]) await docker.getContainer(id).start();
    const attach = ['postgres', 'db.elsewhere.example'];
    runtime = new DockerRuntime({
      installationId,
      host: null,
      network: { prefix: `net-${installationId}`, subnetPool: TEST_SUBNETS, gateway, attach },
    });
    const { ref } = await runtime.start(await spec({ port: null }));
    const network = Object(await docker.getNetwork(`net-${installationId}-slice-1`).inspect());
    expect(Object.keys(network.Containers).toSorted()).toEqual([ref, gateway, database].toSorted());
    const { NetworkSettings } = await docker.getContainer(database).inspect();
    expect(NetworkSettings.Networks[`net-${installationId}-slice-1`]?.Aliases).toContain('postgres');
    await runtime.removeData(1);
    for (const id of strangers.splice(0)) await docker.getContainer(id).remove({ force: true });
    await beside.remove();
  });
});
