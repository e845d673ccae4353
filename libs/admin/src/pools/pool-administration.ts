import { Injectable, Logger } from '@nestjs/common';
import { AllowedOrigins, type Principal } from '#auth';
import { AdminError, type AuditedAction, AuditLog, CoreError, validationFailed } from '#common';
import { AppConfig, isOwnAddress } from '#config';
import { Transactions } from '#database';
import { DEFAULT_HEALTH_PATH, type PoolDefinition, Pools, PoolStore, STANDING_POOLS } from '#proxy';
import { nameOf } from '../actor.js';
import { poolNotFound, PoolViews } from './pool-views.js';
import type { BackendView, NewBackend, NewPool, PoolView, RemovedBackend } from './schemas.js';

/** What came of a request that may be repeated. */
export interface Made<View> {
  /** False: it was there already. */
  readonly isNew: boolean;
  readonly view: View;
}

/** What an entry of the audit says of a change. */
type ChangedFacts = Pick<AuditedAction, 'before' | 'after'>;

/**
 * Makes and removes pools and backends in the operator's name. What config.yml declares is changed there. Everything
 * is in force here when it returns, and on the other replicas as soon as they are told.
 */
@Injectable()
export class PoolAdministration {
  private readonly logger = new Logger(PoolAdministration.name);

  constructor(
    private readonly store: PoolStore,
    private readonly pools: Pools,
    private readonly views: PoolViews,
    private readonly origins: AllowedOrigins,
    private readonly config: AppConfig,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /** @throws AdminError SET_BY_CONFIG_FILE; CoreError CONFLICT: it is there, with another health path */
  async create({ name, health }: NewPool, by: Principal): Promise<Made<PoolView>> {
    const isNew = await this.createUnlessThere(name, health);
    await this.pools.refresh();
    if (isNew) this.logger.log(`pool ${name} was made by ${nameOf(by)}`);
    return { isNew, view: this.views.pool(name) };
  }

  /** @throws AdminError POOL_NOT_FOUND, SET_BY_CONFIG_FILE */
  async remove(name: string, by: Principal): Promise<void> {
    if ((await this.definition(name))?.declaredBy === 'config') throw setByConfigFile('This pool');
    const wasThere = await this.audited('pool.remove', name, async () => {
      const removed = await this.store.deletePool(name);
      return removed && { before: { health: removed.healthPath, backends: removed.urls } };
    });
    // Of these two nothing is left to remove but their backends.
    if (!wasThere && !STANDING_POOLS.includes(name)) throw poolNotFound();
    await this.pools.refresh();
    this.logger.log(`pool ${name} was removed by ${nameOf(by)}`);
  }

  /** @throws AdminError POOL_NOT_FOUND; CoreError VALIDATION_FAILED: it would be a loop */
  async addBackend(name: string, { url }: NewBackend, by: Principal): Promise<Made<BackendView>> {
    this.refuseLoop(url);
    const pool = await this.definition(name);
    const isDeclared = pool?.backends.some((each) => each.declaredBy === 'config' && each.url === url);
    const making = pool?.declaredBy === 'config' || STANDING_POOLS.includes(name);
    const isNew =
      isDeclared !== true &&
      (await this.audited('pool.add_backend', name, async () =>
        (await this.addUnlessThere(name, url, making)) ? { after: { url } } : null,
      ));
    await this.pools.refresh();
    const view = this.views.backendsOf(name).find((each) => each.url === url);
    // Somebody else has removed it in between.
    if (view === undefined) throw backendNotFound();
    if (isNew) this.logger.log(`backend ${url} was added to the pool ${name} by ${nameOf(by)}`);
    return { isNew, view };
  }

  /** @throws AdminError POOL_NOT_FOUND, BACKEND_NOT_FOUND, SET_BY_CONFIG_FILE; CoreError VALIDATION_FAILED */
  async removeBackend(
    name: string,
    body: RemovedBackend,
    query: RemovedBackend,
    by: Principal,
  ): Promise<void> {
    const url = body.url ?? query.url;
    if (url === undefined) throw validationFailed([{ path: 'url', message: 'is required' }]);
    if (query.url !== undefined && query.url !== url) {
      throw validationFailed([{ path: 'url', message: 'is another one in the query than in the body' }]);
    }
    const pool = await this.definition(name);
    if (pool === null) throw poolNotFound();
    if (pool.backends.some((each) => each.declaredBy === 'config' && each.url === url)) {
      throw setByConfigFile('This backend');
    }
    await this.removeFrom(name, { url }, by);
  }

  /** @throws AdminError POOL_NOT_FOUND, BACKEND_NOT_FOUND */
  async removeBackendById(name: string, id: string, by: Principal): Promise<void> {
    if ((await this.definition(name)) === null) throw poolNotFound();
    await this.removeFrom(name, { id }, by);
  }

  private async removeFrom(
    name: string,
    which: { id: string } | { url: string },
    by: Principal,
  ): Promise<void> {
    let url = '';
    const removed = await this.audited('pool.remove_backend', name, async () => {
      const backend = await this.store.removeBackend(name, which);
      url = backend?.url ?? '';
      return backend && { before: { id: backend.id, url } };
    });
    if (!removed) throw backendNotFound();
    await this.pools.refresh();
    this.logger.log(`backend ${url} was removed from the pool ${name} by ${nameOf(by)}`);
  }

  /** @returns whether it is new */
  private async createUnlessThere(name: string, health: string | undefined): Promise<boolean> {
    const there = await this.definition(name);
    if (there !== null && (health === undefined || health === there.healthPath)) return false;
    if (there?.declaredBy === 'config') throw setByConfigFile('The health path of this pool');
    const healthPath = health ?? DEFAULT_HEALTH_PATH;
    const facts = { after: { health: healthPath } };
    const isNew = await this.audited('pool.create', name, async () =>
      (await this.store.createPool(name, healthPath)) ? facts : null,
    );
    if (isNew) return true;
    if (health === undefined) return false;
    const settled = await this.audited('pool.change', name, async () =>
      (await this.store.settleHealthPath(name, health)) ? facts : null,
    );
    if (settled) return false;
    throw new CoreError(
      'CONFLICT',
      `There is a pool of this name with another health path, ${there?.healthPath}. Remove it first.`,
    );
  }

  private async addUnlessThere(name: string, url: string, making: boolean): Promise<boolean> {
    const isNew = await this.store.addBackend(name, url, { making });
    if (isNew === null) throw poolNotFound();
    return isNew;
  }

  /**
   * Makes a change together with its entry in the audit.
   * @param change says what was before and is after; null where it changed nothing, and there is nothing to tell
   * @returns whether it changed anything
   */
  private audited(
    action: `pool.${string}`,
    pool: string,
    change: () => Promise<ChangedFacts | null>,
  ): Promise<boolean> {
    return this.transactions.run(async () => {
      const facts = await change();
      if (facts === null) return false;
      await this.audit.record({ action, target: { kind: 'pool', id: pool }, ...facts });
      return true;
    });
  }

  /** As the database has it now: another replica may have changed it a moment ago. */
  private async definition(name: string): Promise<PoolDefinition | null> {
    await this.pools.refresh();
    return this.pools.definitions.find((pool) => pool.name === name) ?? null;
  }

  private refuseLoop(url: string): void {
    if (!isOwnAddress(url, { ...this.config.http, appUrl: this.origins.ownOrigin })) return;
    throw validationFailed([{ path: 'url', message: 'must not be the gateway itself' }]);
  }
}

function setByConfigFile(what: string): AdminError {
  return new AdminError('SET_BY_CONFIG_FILE', `${what} is declared in config.yml. Change it there.`);
}

function backendNotFound(): AdminError {
  return new AdminError(
    'BACKEND_NOT_FOUND',
    'There is no such backend in this pool. GET /admin/pools lists them.',
  );
}
