import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { DockerRuntime, hostAddress, type SliceInstance } from '#orchestrator';
import {
  buildTinyApp,
  describeWithDocker,
  docker,
  removeNetworks,
  TEST_SUBNETS,
  TINY_APP_IMAGE,
} from '../support/docker.js';
import { eventually } from '../support/eventually.js';
import { closeServer, freePort } from '../support/free-port.js';
import { getJson } from '../support/get-json.js';

/** The threat: a customer's app that tries to call another customer's app, past the gateway and its identity headers. */
const IN_CONTAINER = 3000;

interface Target {
  host: string;
  port: number;
}

/** Starts slice `id`; its address from the outside, and all its container's own addresses. */
async function startSlice(runtime: DockerRuntime, id: number, port: number | null): Promise<SliceInstance> {
  return runtime.start({
    id,
    name: `tenant-${id}`,
    generation: 1,
    image: TINY_APP_IMAGE,
    command: null,
    env: {},
    memoryBytes: 128 * 1024 * 1024,
    cpus: 1,
    port,
  });
}

/** Every name and address the engine knows a container by. */
async function addressesOf({ ref }: SliceInstance): Promise<string[]> {
  const { Name, Id, NetworkSettings } = await docker.getContainer(ref).inspect();
  const endpoints = Object.values(NetworkSettings.Networks);
  return [
    Name.slice(1),
    Id.slice(0, 12),
    ...endpoints.flatMap(({ IPAddress, GlobalIPv6Address }) => [IPAddress, GlobalIPv6Address]),
  ].filter((address) => address !== '');
}

/** Every address this host can be called by from a container: its own, its bridges', and the engine's name for it. */
async function addressesOfHost(): Promise<string[]> {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const networks = await docker.listNetworks();
  const gateways = networks.flatMap(({ IPAM }) => IPAM?.Config ?? []).flatMap(({ Gateway }) => Gateway ?? []);
  return [
    ...new Set([...own.map(({ address }) => address), ...gateways, 'host.docker.internal', '0.0.0.0', '::1']),
  ];
}

/** What a slice reaches of the targets, tried from inside of it. */
async function reachedFrom(ask: (path: string) => Promise<unknown>, targets: Target[]): Promise<Target[]> {
  const answers = await Promise.all(targets.map(({ host, port }) => ask(`/reach?host=${host}&port=${port}`)));
  return targets.filter((_, i) => Object(answers[i]).reached === true);
}

const times = (hosts: string[], ports: number[]): Target[] =>
  hosts.flatMap((host) => ports.map((port) => ({ host, port })));

describeWithDocker('a slice and its neighbours', () => {
  const installations = [1, 2].map((n) => `iso${n}${randomUUID().slice(0, 6)}`);
  const [ours = '', theirs = ''] = installations;

  beforeAll(buildTinyApp, 120_000);

  async function removeSlices(...runtimes: DockerRuntime[]): Promise<void> {
    for (const runtime of runtimes) for (const id of await runtime.listData()) await runtime.removeData(id);
    for (const id of installations) await removeNetworks(id);
  }

  describe('published on loopback ports', () => {
    const runtime = new DockerRuntime({ installationId: ours, host: null, network: null });
    const foreign = new DockerRuntime({ installationId: theirs, host: null, network: null });
    let attacker: SliceInstance;
    let neighbour: SliceInstance;
    let stranger: SliceInstance;

    const fromAttacker = (path: string): Promise<unknown> =>
      getJson(`http://${attacker.host}:${attacker.port}${path}`);

    beforeAll(async () => {
      attacker = await startSlice(runtime, 1, await freePort());
      neighbour = await startSlice(runtime, 2, await freePort());
      stranger = await startSlice(foreign, 1, await freePort());
      for (const { host, port } of [attacker, neighbour, stranger]) {
        await eventually(() => getJson(`http://${host}:${port}/health`));
      }
    }, 60_000);

    afterAll(() => removeSlices(runtime, foreign), 60_000);

    it('reaches itself, and a server on the host that is meant for slices', async () => {
      const host = (await hostAddress(null)) ?? '';
      const database = createServer((_, res) => res.end('ok')).listen(0, host);
      await once(database, 'listening');
      const address = database.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      const targets = [
        { host: '127.0.0.1', port: IN_CONTAINER },
        { host: 'host.docker.internal', port },
      ];
      expect(await reachedFrom(fromAttacker, targets)).toEqual(targets);
      await closeServer(database);
    });

    it('does not reach a neighbour by address or name', async () => {
      const hosts = await addressesOf(neighbour);
      expect(hosts).toHaveLength(3);
      expect(await reachedFrom(fromAttacker, times(hosts, [IN_CONTAINER, neighbour.port]))).toEqual([]);
    });

    it('does not reach a slice of another installation by address or name', async () => {
      const hosts = await addressesOf(stranger);
      expect(await reachedFrom(fromAttacker, times(hosts, [IN_CONTAINER, stranger.port]))).toEqual([]);
    });

    it('does not reach a published port by any address of the host', async () => {
      const hosts = await addressesOfHost();
      const targets = times(hosts, [neighbour.port, stranger.port, attacker.port]);
      expect(targets.length).toBeGreaterThan(12);
      expect(await reachedFrom(fromAttacker, targets)).toEqual([]);
    });
  });

  describe('each on a network of its own', () => {
    let runtime: DockerRuntime;
    let foreign: DockerRuntime;
    let gatewayPort: number;
    let attacker: SliceInstance;
    let neighbour: SliceInstance;
    let stranger: SliceInstance;
    const gateway = docker.getContainer(`sluice-test-gateway-${ours}`);

    const asGateway = (url: string): Promise<unknown> =>
      getJson(`http://127.0.0.1:${gatewayPort}/fetch?url=${encodeURIComponent(url)}`);
    const fromAttacker = (path: string): Promise<unknown> =>
      asGateway(`http://${attacker.host}:${attacker.port}${path}`);

    beforeAll(async () => {
      gatewayPort = await freePort();
      const created = await docker.createContainer({
        name: gateway.id,
        Image: TINY_APP_IMAGE,
        ExposedPorts: { '3000/tcp': {} },
        HostConfig: {
          Init: true,
          PortBindings: { '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: `${gatewayPort}` }] },
        },
      });
      await created.start();
      const runtimeOf = (installationId: string): DockerRuntime => {
        const network = { prefix: installationId, subnetPool: TEST_SUBNETS, gateway: created.id };
        return new DockerRuntime({ installationId, host: null, network });
      };
      runtime = runtimeOf(ours);
      foreign = runtimeOf(theirs);
      attacker = await startSlice(runtime, 1, null);
      neighbour = await startSlice(runtime, 2, null);
      stranger = await startSlice(foreign, 1, null);
      for (const { host, port } of [attacker, neighbour, stranger]) {
        await eventually(() => asGateway(`http://${host}:${port}/health`));
      }
    }, 60_000);

    afterAll(async () => {
      await removeSlices(runtime, foreign);
      await gateway.remove({ force: true });
    }, 60_000);

    it('reaches itself', async () => {
      const itself = [{ host: '127.0.0.1', port: IN_CONTAINER }];
      expect(await reachedFrom(fromAttacker, itself)).toEqual(itself);
    });

    it('does not reach another slice by address or name', async () => {
      const hosts = [...(await addressesOf(neighbour)), ...(await addressesOf(stranger))];
      expect(hosts).toHaveLength(6);
      expect(await reachedFrom(fromAttacker, times(hosts, [IN_CONTAINER]))).toEqual([]);
    });

    it('can not even find another slice’s name', async () => {
      expect(await fromAttacker(`/lookup?host=${neighbour.host}`)).toEqual({ addresses: [] });
      expect(await fromAttacker(`/lookup?host=${stranger.host}`)).toEqual({ addresses: [] });
    });

    it('does not reach a slice’s port by any address of the host', async () => {
      // These three are the slice itself.
      const hosts = (await addressesOfHost()).filter(
        (host) => !['127.0.0.1', '0.0.0.0', '::1'].includes(host),
      );
      expect(await reachedFrom(fromAttacker, times(hosts, [IN_CONTAINER]))).toEqual([]);
    });

    it('does not reach through the gateway’s other networks', async () => {
      const { Networks } = (await gateway.inspect()).NetworkSettings;
      const elsewhere = Object.entries(Networks).filter(([name]) => name !== `${ours}-slice-1`);
      const hosts = elsewhere.map(([, { IPAddress }]) => IPAddress);
      expect(hosts.length).toBeGreaterThanOrEqual(3);
      expect(await reachedFrom(fromAttacker, times(hosts, [IN_CONTAINER]))).toEqual([]);
    });
  });
});
