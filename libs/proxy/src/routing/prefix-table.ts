import type { UpstreamRoute } from './route.js';

/** The routes of one path: one for each host that has its own, and one for all others. */
interface Entry {
  anyHost: UpstreamRoute | null;
  readonly byHost: Map<string, UpstreamRoute>;
}

/**
 * Routes by path prefix, on segment boundaries: the longest prefix wins, and at the same one the route of the host. A
 * look-up costs as many steps as the deepest prefix has segments, however many routes there are and however long the
 * path is.
 */
export class PrefixTable {
  readonly #entries = new Map<string, Entry>();
  #depth = 0;

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /**
   * @param path `/`, or without a slash at its end
   * @param host lower-case; null: any
   */
  add(path: string, host: string | null, route: UpstreamRoute): void {
    const entry = this.#entries.get(path) ?? { anyHost: null, byHost: new Map() };
    if (host === null) entry.anyHost = route;
    else entry.byHost.set(host, route);
    this.#entries.set(path, entry);
    this.#depth = Math.max(this.#depth, path === '/' ? 0 : path.split('/').length - 1);
  }

  /** @param host lower-case, without the port */
  match(path: string, host: string): UpstreamRoute | null {
    for (let end = this.#endOfDeepest(path); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const route = this.#at(path.slice(0, end), host);
      if (route !== null) return route;
    }
    return this.#at('/', host);
  }

  #at(prefix: string, host: string): UpstreamRoute | null {
    const entry = this.#entries.get(prefix);
    return entry === undefined ? null : (entry.byHost.get(host) ?? entry.anyHost);
  }

  /** Where the last segment ends that any prefix can reach; the rest of the path decides nothing. */
  #endOfDeepest(path: string): number {
    let end = 0;
    for (let i = 0; i < this.#depth; i++) {
      const next = path.indexOf('/', end + 1);
      if (next === -1) return path.length;
      end = next;
    }
    return end;
  }
}
