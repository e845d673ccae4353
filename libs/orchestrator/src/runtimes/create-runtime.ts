import { Logger } from '@nestjs/common';
import type { AppConfig } from '#config';
import type { DatabaseServer } from '#database';
import { slicesFolder, type InstallationId } from '../installation.js';
import type { DockerRuntimeOptions } from './docker/docker-runtime.js';
import type { SliceRuntime } from './slice-runtime.js';

/** The runtime the configuration names. An engine that is down is a fault to report, never a reason for another one. */
export async function createRuntime(
  config: AppConfig,
  installation: InstallationId,
  server: DatabaseServer,
): Promise<SliceRuntime> {
  const { slices } = config;
  if (slices.runtime === 'process') {
    if (config.mode === 'production') {
      new Logger('SliceRuntime').warn(
        'SLICE_RUNTIME=process isolates nothing: every slice can read the files of all others. Use SLICE_IMAGE.',
      );
    }
    const { ProcessRuntime } = await import('./process/process-runtime.js');
    return new ProcessRuntime({
      dataDir: slicesFolder(config),
      installationId: installation.value,
    });
  }
  // Only where it is used: the engine's client brings gRPC and SSH with it, a tenth of what the gateway loads.
  const { DockerRuntime } = await import('./docker/docker-runtime.js');
  return new DockerRuntime(dockerOptions(config, installation, server));
}

/** What the configuration says of slices in containers. */
export function dockerOptions(
  { slices }: AppConfig,
  installation: InstallationId,
  server: DatabaseServer,
): DockerRuntimeOptions {
  return {
    installationId: installation.value,
    host: slices.dockerHost,
    network:
      slices.network === null
        ? null
        : {
            prefix: slices.network,
            subnetPool: slices.subnetPool,
            // Where the database is a container beside the gateway, it joins the slices' networks as well.
            attach: [slices.databaseHost ?? server.connection.host],
          },
  };
}
