import { isOwnPath } from '#config';
import { matchesPrefix } from '../http/path.js';
import type { MappingTable } from './mapping-table.js';
import type { PrefixTable } from './prefix-table.js';
import { readHost } from './request-host.js';
import type { Route, SliceRoute, UpstreamRoute } from './route.js';

/** What the table is compiled from. */
export interface RouteTableParts {
  /** Single paths that are ours, wherever they lie: the callback of OIDC. */
  readonly ownPaths: ReadonlySet<string>;
  /** By path, then by method. */
  readonly workers: ReadonlyMap<string, ReadonlyMap<string, UpstreamRoute>>;
  /** `GET /health/{id}` of the services, by path. */
  readonly health: ReadonlyMap<string, UpstreamRoute>;
  readonly prefixes: PrefixTable;
  readonly mappings: MappingTable;
  /** Longest prefix first. */
  readonly slices: readonly SliceRoute[];
  /** For `/api/*` where no slice path takes it. */
  readonly fallback: UpstreamRoute | null;
}

/** Why a request goes where it goes. */
export interface RouteExplanation {
  /** The kind of rule that decided. */
  readonly rule: string;
  /** Those before it that did not match. */
  readonly passed: readonly string[];
  readonly route: Route | null;
}

export const API_PREFIX = '/api';

/**
 * Which request leads where. Compiled as a whole, never changed, and replaced as a whole; whoever asks it twice about
 * one request gets the same answer.
 */
export class RouteTable {
  readonly #parts: RouteTableParts;
  readonly #onlySlices: boolean;
  readonly #byHost: boolean;

  constructor(parts: RouteTableParts) {
    this.#parts = parts;
    this.#byHost = !parts.prefixes.isEmpty || !parts.mappings.isEmpty;
    this.#onlySlices = !this.#byHost && parts.fallback === null;
  }

  /** Whether `secure` makes a difference to {@link match}. */
  get asksForScheme(): boolean {
    return !this.#parts.mappings.isEmpty;
  }

  /**
   * The route of a request; null for what is our own, and for what nobody serves.
   * @param path normalised, without the query
   * @param host the `Host` header
   * @param secure whether the client speaks https
   */
  match(method: string | undefined, path: string, host: string | undefined, secure: boolean): Route | null {
    const { workers, ownPaths, health } = this.#parts;
    const asked = method === 'HEAD' ? 'GET' : (method ?? '');
    const worker = workers.get(path)?.get(asked);
    if (worker !== undefined) return worker;
    if (ownPaths.has(path)) return null;
    if (isOwnPath(path)) return (asked === 'GET' ? health.get(path) : undefined) ?? null;
    return this.#onlySlices ? this.#sliceAt(path) : this.#elsewhere(path, host, secure);
  }

  /**
   * How {@link match} comes to its answer: every rule in the order of the decision, up to the one that matched.
   */
  explain(method: string, path: string, host: string | undefined, secure: boolean): RouteExplanation {
    const route = this.match(method, path, host, secure);
    const passed: string[] = [];
    for (const [rule, matched] of this.#decisions(method, path, host, secure)) {
      if (matched) return { rule, passed, route };
      passed.push(rule);
    }
    return { rule: 'static files, else nothing', passed, route };
  }

  /** Each rule, and whether it is the one, as far as those before it did not match. */
  *#decisions(
    method: string,
    path: string,
    header: string | undefined,
    secure: boolean,
  ): Generator<[rule: string, matched: boolean]> {
    const { workers, ownPaths, health, prefixes, mappings, fallback } = this.#parts;
    const asked = method === 'HEAD' ? 'GET' : method;
    const host = readHost(header, secure);
    const underApi = matchesPrefix(path, API_PREFIX);
    yield ["workers' paths", workers.get(path)?.has(asked) === true];
    yield ['health of a service', asked === 'GET' && !ownPaths.has(path) && health.has(path)];
    yield ["Sluice's own endpoints", ownPaths.has(path) || isOwnPath(path)];
    yield ['routes and services, the longest path first', prefixes.match(path, host.name) !== null];
    yield ['mappings, for /api', underApi && mappings.match(path.slice(API_PREFIX.length), host) !== null];
    yield ['slice paths', this.#sliceAt(path) !== null];
    yield ['defaultBackend, for /api', underApi && fallback !== null];
  }

  #elsewhere(path: string, header: string | undefined, secure: boolean): Route | null {
    const { prefixes, mappings, fallback } = this.#parts;
    const underApi = matchesPrefix(path, API_PREFIX);
    if (this.#byHost) {
      const host = readHost(header, secure);
      const route = prefixes.match(path, host.name);
      if (route !== null) return route;
      const mapping = underApi ? mappings.match(path.slice(API_PREFIX.length), host) : null;
      if (mapping !== null) return mapping;
    }
    return this.#sliceAt(path) ?? (underApi ? fallback : null);
  }

  #sliceAt(path: string): SliceRoute | null {
    for (const route of this.#parts.slices) if (matchesPrefix(path, route.prefix)) return route;
    return null;
  }
}
