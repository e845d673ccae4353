import { Injectable } from '@nestjs/common';
import { AppConfig } from '#config';
import { DatabaseServer, type Slice } from '#database';
import type { SliceDatabaseAccess } from '../databases/slice-database.js';
import type { SliceSpec } from '../runtimes/slice-runtime.js';
import { SliceSecrets } from '../slices/slice-secrets.js';

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** Turns a slice and its surroundings into what the runtime is to run. */
@Injectable()
export class SliceSpecs {
  constructor(
    private readonly config: AppConfig,
    private readonly server: DatabaseServer,
    private readonly secrets: SliceSecrets,
  ) {}

  of(slice: Slice, access: SliceDatabaseAccess, port: number | null): SliceSpec {
    return {
      id: slice.id,
      name: slice.name,
      generation: slice.generation,
      image: slice.runtime === 'docker' ? slice.image : null,
      command: slice.runtime === 'process' ? this.config.slices.command : null,
      // What the slice stands on comes last: no variable of the operator's can cut it off from its own database.
      env: {
        ...this.config.slices.env,
        ...this.secrets.openEnv(slice),
        ...this.databaseEnv(access),
        SLICE_ID: String(slice.id),
        SLICE_NAME: slice.name,
      },
      memoryBytes: slice.memoryBytes,
      cpus: slice.cpus,
      port,
    };
  }

  private databaseEnv(access: SliceDatabaseAccess): Record<string, string> {
    const { port, ssl } = this.server.connection;
    const host = this.databaseHost();
    const url = new URL(`postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${access.database}`);
    url.username = access.role;
    url.password = access.password;
    if (ssl !== false) url.searchParams.set('sslmode', ssl.rejectUnauthorized ? 'verify-full' : 'require');
    return {
      DATABASE_URL: url.href,
      DB_HOST: host,
      DB_PORT: String(port),
      DB_NAME: access.database,
      DB_USER: access.role,
      DB_PASSWORD: access.password,
    };
  }

  /** Inside a container, loopback is the container itself; the host is found by Docker's own name for it. */
  private databaseHost(): string {
    const { databaseHost, runtime } = this.config.slices;
    if (databaseHost !== null) return databaseHost;
    const { host } = this.server.connection;
    return runtime === 'docker' && LOOPBACK.test(host) ? 'host.docker.internal' : host;
  }
}
