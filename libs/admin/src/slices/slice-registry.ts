import { Injectable } from '@nestjs/common';
import { AllowedOrigins } from '#auth';
import { validationFailed } from '#common';
import { AppConfig, isOwnAddress } from '#config';
import { ExternalSlices, sliceView, type SliceView } from '#orchestrator';
import type { RegistrationBody, StatusBody } from './schemas.js';

/** Takes up what runs already, lets go of it, and says how it is, in the operator's name. */
@Injectable()
export class SliceRegistry {
  constructor(
    private readonly external: ExternalSlices,
    private readonly origins: AllowedOrigins,
    private readonly config: AppConfig,
  ) {}

  /** @throws CoreError VALIDATION_FAILED: it would be a loop; and what {@link ExternalSlices.register} throws */
  async register({ host, port, name }: RegistrationBody): Promise<SliceView> {
    const own = { ...this.config.http, appUrl: this.origins.ownOrigin };
    if (isOwnAddress(`http://${host}:${port}`, own)) {
      throw validationFailed([{ path: 'port', message: 'must not be the gateway itself' }]);
    }
    return sliceView(await this.external.register({ host, port, name }));
  }

  unregister(id: number, force: boolean): Promise<void> {
    return this.external.unregister(id, force);
  }

  async setStatus(id: number, { status }: StatusBody): Promise<SliceView> {
    return sliceView(await this.external.setStatus(id, status));
  }
}
