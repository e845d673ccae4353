import { randomUUID } from 'node:crypto';
import { DockerRuntime } from '#orchestrator';
import {
  buildTinyApp,
  describeWithDocker,
  docker,
  labelledResources,
  removeNetworks,
  TEST_SUBNETS,
  TINY_APP_IMAGE,
} from '../support/docker.js';
import { closeServer, freePort, occupyPort } from '../support/free-port.js';
import { getJson } from '../support/get-json.js';
import { sliceRuntimeContract, type RuntimeWorld } from './slice-runtime.contract.js';

const app = { image: TINY_APP_IMAGE, command: null };
const noApp = { image: 'sluice-test/no-such-image:1', command: null };

/** The gateway is a process of this host. */
async function publishedPorts(): Promise<RuntimeWorld> {
  await buildTinyApp();
  const installations = new Set<string>();
  return {
    open: (installationId) => {
      installations.add(installationId);
      return new DockerRuntime({ installationId, host: null, network: null });
    },
    app,
    noApp,
    ownNetworks: false,
    nextPort: freePort,
    occupy: async (port) => {
      const server = await occupyPort(port);
      return () => closeServer(server);
    },
    get: (instance, path) => getJson(`http://${instance.host}:${instance.port}${path}`),
    leftovers: async (ids) => {
      const all = (await Promise.all(ids.map(labelledResources))).flat();
      // The bridge all slices share stays with the installation.
      return all.filter((name) => !ids.some((id) => name === `network sluice-${id}`));
    },
    close: async () => {
      for (const id of installations) await removeNetworks(id);
    },
  };
}

/** The gateway is a container: one of the test app stands in for it, and asks the slices on the suite's behalf. */
async function privateNetworks(): Promise<RuntimeWorld> {
  await buildTinyApp();
  const port = await freePort();
  const gateway = await docker.createContainer({
    name: `sluice-test-gateway-${randomUUID().slice(0, 8)}`,
    Image: TINY_APP_IMAGE,
    ExposedPorts: { '3000/tcp': {} },
    HostConfig: {
      Init: true,
      PortBindings: { '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
    },
  });
  await gateway.start();
  return {
    open: (installationId) =>
      new DockerRuntime({
        installationId,
        host: null,
        network: { prefix: `net-${installationId}`, subnetPool: TEST_SUBNETS, gateway: gateway.id },
      }),
    app,
    noApp,
    ownNetworks: true,
    nextPort: () => Promise.resolve(null),
    occupy: () => Promise.reject(new Error('no port is published')),
    get: (instance, path) => {
      const url = `http://${instance.host}:${instance.port}${path}`;
      return getJson(`http://127.0.0.1:${port}/fetch?url=${encodeURIComponent(url)}`);
    },
    leftovers: async (ids) => (await Promise.all(ids.map(labelledResources))).flat(),
    close: () => gateway.remove({ force: true }),
  };
}

describeWithDocker('DockerRuntime', () => {
  sliceRuntimeContract('on published ports', publishedPorts);
  sliceRuntimeContract('on a network per slice', privateNetworks);
});
