import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '#config';
import { DatabaseClients } from '#database';
import { RuntimeUnavailableError } from '../runtimes/errors.js';

/** Slices in containers on this host reach the embedded PostgreSQL by the address of the engine's bridge. */
@Injectable()
export class SliceDatabaseClients extends DatabaseClients {
  private readonly logger = new Logger(SliceDatabaseClients.name);

  constructor(private readonly config: AppConfig) {
    super();
  }

  override async listenAddresses(): Promise<readonly string[]> {
    const { runtime, network, dockerHost } = this.config.slices;
    if (runtime !== 'docker' || network !== null) return [];
    try {
      // Only where it is used, as in createRuntime.
      const { hostAddress } = await import('../runtimes/docker/host-address.js');
      const address = await hostAddress(dockerHost);
      return address === null ? [] : [address];
    } catch (error) {
      if (!(error instanceof RuntimeUnavailableError)) throw error;
      this.logger.warn(`slices won't reach the embedded PostgreSQL before the next start: ${error.message}`);
      return [];
    }
  }
}
