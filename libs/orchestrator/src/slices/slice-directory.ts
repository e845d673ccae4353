import { Injectable } from '@nestjs/common';
import { ControlConnection, type DesiredState, type SliceStatus } from '#database';
import { SliceRepository } from './slice-repository.js';

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
  ) {}

  async locate(ownerId: string): Promise<SliceLocation | null> {
    const slice = await this.slices.findByOwner(ownerId);
    if (slice === null) return null;
    const { id: sliceId, status, desiredState, host, port } = slice;
    return { sliceId, status, desiredState, host, port };
  }

  /** Calls back with the users whose slice has changed, on every replica, within the change's own commit. */
  onChange(listener: (ownerIds: readonly string[]) => void): void {
    this.control.listen('slice_changed', (payload) => {
      const [, ...owners] = payload.split(':');
      listener(owners.filter((owner) => owner !== ''));
    });
  }
}
