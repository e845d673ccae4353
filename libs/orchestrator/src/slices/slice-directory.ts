import { Injectable } from '@nestjs/common';
import { AppConfig } from '#config';
import { ControlConnection, type DesiredState, type SliceStatus } from '#database';
import { SliceReach } from './slice-reach.js';
import { SliceRepository } from './slice-repository.js';
import { sliceView, type SliceView } from './slice-view.js';

/** Where a customer's slice is, and whether it can be asked. */
export interface SliceLocation {
  sliceId: number;
  status: SliceStatus;
  desiredState: DesiredState;
  host: string | null;
  port: number | null;
}

/** What the proxy needs to know of slices. */
@Injectable()
export class SliceDirectory {
  constructor(
    private readonly slices: SliceRepository,
    private readonly control: ControlConnection,
    private readonly reach: SliceReach,
    private readonly config: AppConfig,
  ) {}

  async locate(ownerId: string): Promise<SliceLocation | null> {
    const slice = await this.slices.findByOwner(ownerId);
    if (slice === null) return null;
    const { id: sliceId, runtime, generation, status, desiredState, host, port } = slice;
    if (this.config.slices.network !== null && status === 'active' && runtime !== 'external')
      await this.reach.ensure(sliceId, generation);
    return { sliceId, status, desiredState, host, port };
  }

  /** The slices of these users as an operator sees them, by their owners. */
  async ownedBy(ownerIds: readonly string[]): Promise<Map<string, SliceView>> {
    const slices = await this.slices.findByOwners(ownerIds);
    return new Map(
      slices.flatMap((slice) => (slice.ownerId === null ? [] : [[slice.ownerId, sliceView(slice)]])),
    );
  }

  /**
   * Calls back with the users whose slice has changed, on every replica, with the change's own commit. Resolves when
   * it is in force.
   */
  async onChange(listener: (ownerIds: readonly string[]) => void): Promise<void> {
    await this.control.listen('slice_changed', (payload) => {
      const [, ...owners] = payload.split(':');
      listener(owners.filter((owner) => owner !== ''));
    });
  }
}
