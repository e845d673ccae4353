import type { FileSettings, PoolSettings } from '#config';
import { canonicalUrl } from './backends.js';

/** Where a pool or a backend was declared: in config.yml, or at `/admin/pools`. */
export type DeclaredBy = 'config' | 'admin';

/** A backend as it stands in the database. */
export interface StoredBackend {
  readonly id: string;
  /** Canonical. */
  readonly url: string;
}

/** A pool as it stands in the database. */
export interface StoredPool {
  readonly name: string;
  /** Null: nobody has said; it is there for its backends. */
  readonly healthPath: string | null;
  readonly backends: readonly StoredBackend[];
}

export interface BackendDefinition {
  /** Canonical. */
  readonly url: string;
  readonly declaredBy: DeclaredBy;
  /** In the database; null for those of config.yml. */
  readonly id: string | null;
}

export interface PoolDefinition {
  readonly name: string;
  readonly declaredBy: DeclaredBy;
  readonly healthPath: string;
  /** Those of config.yml first; no URL twice. */
  readonly backends: readonly BackendDefinition[];
}

/** There without anybody's doing: the paths that workers call by default lead to them (S4). */
export const STANDING_POOLS: readonly string[] = ['input', 'output'];

export const DEFAULT_HEALTH_PATH = '/health';

/**
 * Every pool there is, sorted by name: what config.yml says of one holds, and the backends of the database come on top.
 */
export function definePools(
  ofFile: readonly PoolSettings[],
  ofDatabase: readonly StoredPool[],
): PoolDefinition[] {
  const declared = new Map(ofFile.map((pool) => [pool.name, pool]));
  const stored = new Map(ofDatabase.map((pool) => [pool.name, pool]));
  const names = new Set([...STANDING_POOLS, ...declared.keys(), ...stored.keys()]);
  return [...names].toSorted().map((name) => definePool(name, declared.get(name), stored.get(name)));
}

function definePool(
  name: string,
  declared: PoolSettings | undefined,
  stored: StoredPool | undefined,
): PoolDefinition {
  const backends = new Map<string, BackendDefinition>();
  for (const { id, url } of stored?.backends ?? []) backends.set(url, { url, declaredBy: 'admin', id });
  const ofFile = new Map<string, BackendDefinition>();
  for (const each of declared?.backends ?? []) {
    const url = canonicalUrl(each);
    ofFile.set(url, { url, declaredBy: 'config', id: null });
    backends.delete(url);
  }
  return {
    name,
    declaredBy: declared === undefined ? 'admin' : 'config',
    healthPath: declared?.healthPath ?? stored?.healthPath ?? DEFAULT_HEALTH_PATH,
    backends: [...ofFile.values(), ...backends.values()],
  };
}

/**
 * Every URL whose health is watched, with the path that is asked of it. Where the same server is used twice, pools and
 * services decide about the path, in this order; a mapping says nothing of it, and is asked at its URL itself (S1).
 */
export function watchedUrls(
  settings: FileSettings,
  pools: readonly PoolDefinition[],
): ReadonlyMap<string, string> {
  const watched = new Map<string, string>();
  const watch = (url: string | null, healthPath: string): void => {
    if (url === null) return;
    const canonical = canonicalUrl(url);
    if (!watched.has(canonical)) watched.set(canonical, healthPath);
  };
  for (const { backends, healthPath } of pools) backends.forEach(({ url }) => watch(url, healthPath));
  for (const { kind, target, healthPath } of settings.routes) {
    if (kind === 'service' && target.kind === 'url') watch(target.url, healthPath ?? '');
  }
  for (const { backend } of settings.mappings) watch(backend, '');
  watch(settings.defaultBackend, '');
  return watched;
}
