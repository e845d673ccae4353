import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProcessRuntime } from '#orchestrator';
import { closeServer, freePort, occupyPort } from '../support/free-port.js';
import { getJson } from '../support/get-json.js';
import { sliceRuntimeContract, type RuntimeWorld } from './slice-runtime.contract.js';

sliceRuntimeContract('ProcessRuntime', async (): Promise<RuntimeWorld> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-slices-'));
  return {
    open: (installationId) => new ProcessRuntime({ dataDir, installationId }),
    app: { image: null, command: ['node', resolve('test/support/tiny-app.mjs')] },
    noApp: { image: null, command: ['no-such-program'] },
    ownNetworks: false,
    nextPort: freePort,
    occupy: async (port) => {
      const server = await occupyPort(port);
      return () => closeServer(server);
    },
    get: (instance, path) => getJson(`http://${instance.host}:${instance.port}${path}`),
    leftovers: async (ids) => {
      const perInstallation = ids.map((id) => readdir(join(dataDir, id)).catch((): string[] => []));
      return (await Promise.all(perInstallation)).flat();
    },
    close: () => rm(dataDir, { recursive: true, force: true }),
  };
});
