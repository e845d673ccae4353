import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { EntityManager } from 'typeorm';
import { Clock, OrchestratorError } from '#common';
import { AppConfig } from '#config';
import { IdempotencyKey, type Slice, Transactions } from '#database';
import { SliceDatabase } from '../databases/slice-database.js';
import { PortAllocator } from '../ports/port-allocator.js';
import { requestHash, type ProvisionRequest } from './slice-request.js';
import { SliceRepository } from './slice-repository.js';
import { SliceSecrets } from './slice-secrets.js';

/** `pg_advisory_xact_lock` of creation: "slic" in ASCII. Held for one short transaction. */
const CREATION_LOCK = 0x736c6963;

/** Makes the rows of new slices, with their ports; bringing them up is the reconciler's. */
@Injectable()
export class SliceFactory {
  /** One creation at a time here, so that waiting ones do not use up the connection pool. */
  private readonly queue = pLimit(1);

  constructor(
    private readonly transactions: Transactions,
    private readonly slices: SliceRepository,
    private readonly ports: PortAllocator,
    private readonly secrets: SliceSecrets,
    @Inject(SliceDatabase) private readonly databases: SliceDatabase,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  /**
   * The row, its port and its idempotency key, all or nothing.
   * @param made what else belongs to it
   * @throws OrchestratorError NO_FREE_PORT, SLICE_BUDGET_EXHAUSTED
   * @throws QueryFailedError on a name, owner or key that is taken meanwhile
   */
  create(
    request: ProvisionRequest,
    idempotencyKey: string | null = null,
    made?: (slice: Slice) => Promise<void>,
  ): Promise<Slice> {
    return this.queue(() =>
      this.transactions.run(async (manager) => {
        await manager.query('SELECT pg_advisory_xact_lock($1)', [CREATION_LOCK]);
        await this.assertCapacity();
        const hash = requestHash(request);
        const slice = await this.slices.insert(this.row(request, hash), manager);
        if (request.env !== undefined) await this.storeEnv(slice, request.env, manager);
        if (this.config.slices.network === null) await this.ports.hold(slice.id, manager);
        if (idempotencyKey !== null) {
          await manager.insert(IdempotencyKey, {
            key: idempotencyKey,
            requestHash: hash,
            sliceId: slice.id,
            createdAt: this.clock.now(),
          });
        }
        await made?.(slice);
        return slice;
      }),
    );
  }

  private row(request: ProvisionRequest, specHash: string) {
    const { slices } = this.config;
    return {
      name: request.name ?? `slice-${randomBytes(5).toString('hex')}`,
      ownerId: request.owner ?? null,
      // What was asked for in any particular way, a name included, was asked for with somebody in mind.
      claimable: Object.values(request).every((asked) => asked === undefined),
      runtime: slices.runtime,
      image: slices.runtime === 'docker' ? (request.image ?? slices.image) : null,
      memoryBytes: request.memory ?? slices.memoryBytes,
      cpus: request.cpus ?? slices.cpus,
      specHash,
    };
  }

  private async storeEnv(slice: Slice, env: Record<string, string>, manager: EntityManager): Promise<void> {
    const envSealed = this.secrets.sealEnv(slice.id, env);
    await this.slices.observe(slice.id, slice.generation, { envSealed }, manager);
    slice.envSealed = envSealed;
  }

  private async assertCapacity(): Promise<void> {
    const [capacity, slices] = await Promise.all([this.databases.capacity(), this.slices.countLive()]);
    if (slices < capacity) return;
    throw new OrchestratorError(
      'SLICE_BUDGET_EXHAUSTED',
      `PostgreSQL's max_connections serves ${capacity} slices of ${this.config.slices.databaseConnections} connections each. ` +
        'Raise it, or lower SLICE_DB_CONNECTIONS.',
    );
  }
}
