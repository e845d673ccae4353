import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { OrchestratorError } from '#common';
import { type Slice, type SliceStatus, Transactions } from '#database';
import { PortAllocator } from '../ports/port-allocator.js';
import { SliceAudit } from './slice-audit.js';
import { conflictOf } from './slice-conflicts.js';
import { SliceRepository } from './slice-repository.js';
import { SliceService } from './slice-service.js';

/** Where an app runs already. */
export interface Registration {
  readonly host: string;
  readonly port: number;
  readonly name?: string | undefined;
}

/** What whoever runs an app may say of it. */
export type ToldStatus = Extract<SliceStatus, 'provisioning' | 'active' | 'stopped' | 'failed'>;

/** `pg_advisory_xact_lock` of registration: "slre" in ASCII. Held for one short transaction. */
const REGISTRATION_LOCK = 0x736c7265;

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Slices that somebody else runs: registered, given to customers and told of like the others, and never touched. They
 * have no database of ours.
 */
@Injectable()
export class ExternalSlices {
  constructor(
    private readonly slices: SliceRepository,
    private readonly service: SliceService,
    private readonly ports: PortAllocator,
    private readonly transactions: Transactions,
    private readonly audit: SliceAudit,
  ) {}

  /**
   * Takes up an app that runs, for the next customer who signs up.
   * @throws OrchestratorError SLICE_NAME_TAKEN, SLICE_ADDRESS_TAKEN
   */
  async register({ host, port, name }: Registration): Promise<Slice> {
    const row = {
      name: name ?? `slice-${randomBytes(5).toString('hex')}`,
      claimable: true,
      runtime: 'external' as const,
      memoryBytes: 0,
      cpus: 0,
      specHash: '',
      status: 'active' as const,
      observedGeneration: 1,
      host,
      port,
    };
    try {
      return await this.transactions.run(async (manager) => {
        // One at a time: two would both find the address free.
        await manager.query('SELECT pg_advisory_xact_lock($1)', [REGISTRATION_LOCK]);
        if (await this.slices.existsAt(host, port)) throw addressTaken(host, port);
        const slice = await this.slices.insert(row, manager);
        const free = !LOOPBACK.has(host) || (await this.ports.take(port, slice.id, manager));
        if (!free) throw addressTaken(host, port);
        await this.audit.made(slice, { host, port }, 'slice.register');
        return slice;
      });
    } catch (error) {
      throw conflictOf(error, row);
    }
  }

  /**
   * Lets go of an app that was registered; it runs on.
   * @param force also when a customer has it
   * @throws OrchestratorError SLICE_NOT_FOUND, SLICE_IN_USE; SLICE_MANAGED: its data would go with it, which is destroy's
   */
  async unregister(id: number, force: boolean): Promise<void> {
    const slice = await this.slices.findAny(id);
    if (slice !== null && slice.runtime !== 'external') {
      throw new OrchestratorError(
        'SLICE_MANAGED',
        `Sluice runs slice ${id}. To end it with its data, POST /orchestrator/destroy/${id}.`,
      );
    }
    await this.service.destroy(id, force);
  }

  /**
   * Says how a slice is. Of one that Sluice runs that means what it is to become, and is waited for.
   * @throws OrchestratorError SLICE_NOT_FOUND; SLICE_MANAGED: nobody but Sluice knows that of it; what start and stop throw
   */
  async setStatus(id: number, status: ToldStatus): Promise<Slice> {
    const slice = await this.service.get(id);
    if (slice.runtime !== 'external') return this.steer(slice, status);
    await this.audit.changing('slice.status', slice, { status }, () => this.slices.tell(id, status));
    return this.service.get(id);
  }

  private steer({ id }: Slice, status: ToldStatus): Promise<Slice> {
    if (status === 'active') return this.service.start(id);
    if (status === 'stopped') return this.service.stop(id);
    throw new OrchestratorError(
      'SLICE_MANAGED',
      `Sluice runs slice ${id}, and sees by itself that it is ${status}; it can be set to active or stopped.`,
    );
  }
}

function addressTaken(host: string, port: number): OrchestratorError {
  return new OrchestratorError('SLICE_ADDRESS_TAKEN', `There is a slice at ${host}:${port} already.`);
}
