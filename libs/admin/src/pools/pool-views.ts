import { Injectable } from '@nestjs/common';
import { AdminError } from '#common';
import { type BackendDefinition, Backends, type PoolDefinition, Pools } from '#proxy';
import type { BackendStates, BackendView, GatewayStats, PoolView } from './schemas.js';

/** The pools and backends as the operator sees them, from this gateway's point of view. No query is made for it. */
@Injectable()
export class PoolViews {
  constructor(
    private readonly pools: Pools,
    private readonly backends: Backends,
  ) {}

  all(): PoolView[] {
    return this.pools.definitions.map((pool) => this.viewOf(pool));
  }

  /** @throws AdminError POOL_NOT_FOUND */
  pool(name: string): PoolView {
    const found = this.pools.definitions.find((pool) => pool.name === name);
    if (found === undefined) throw poolNotFound();
    return this.viewOf(found);
  }

  /** @throws AdminError POOL_NOT_FOUND */
  backendsOf(name: string): BackendView[] {
    return this.pool(name).backends;
  }

  /** What is known of every backend: of pools, services, mappings and the default one. */
  health(): BackendStates {
    return Object.fromEntries(this.backends.all.map(({ url, state }) => [url, state]));
  }

  stats(): GatewayStats {
    const pools = Object.fromEntries(
      this.pools.definitions.map(({ name }) => [name, this.pools.get(name).healthyCount]),
    );
    return {
      input_backends: pools['input'] ?? 0,
      output_backends: pools['output'] ?? 0,
      total_backends: Object.values(pools).reduce((sum, healthy) => sum + healthy, 0),
      pools,
    };
  }

  private viewOf({
    name,
    declaredBy: source,
    healthPath: health,
    backends: members,
  }: PoolDefinition): PoolView {
    const backends = members.flatMap((member) => this.viewOfBackend(member));
    return { name, source, health, healthy: backends.filter(({ healthy }) => healthy).length, backends };
  }

  private viewOfBackend({ id, url, declaredBy: source }: BackendDefinition): BackendView[] {
    const backend = this.backends.get(url);
    return backend === undefined ? [] : [{ id, url, source, healthy: backend.healthy, state: backend.state }];
  }
}

export function poolNotFound(): AdminError {
  return new AdminError('POOL_NOT_FOUND', 'There is no pool of this name. GET /admin/pools lists them.');
}
