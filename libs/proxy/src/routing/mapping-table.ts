import type { MappingSettings } from '#config';
import { matchesPrefix } from '../http/path.js';
import type { RequestHost } from './request-host.js';
import type { UpstreamRoute } from './route.js';

export interface Mapping {
  readonly settings: Pick<MappingSettings, 'frontendHost' | 'frontendPort' | 'pathPrefix'>;
  readonly route: UpstreamRoute;
}

/**
 * The mappings of S1, for paths under `/api`: by host, port and path prefix, in file order. One with a path prefix beats
 * those without, wherever in the file they stand.
 */
export class MappingTable {
  readonly #mappings: readonly Mapping[];

  constructor(mappings: readonly Mapping[]) {
    this.#mappings = mappings;
  }

  get isEmpty(): boolean {
    return this.#mappings.length === 0;
  }

  /** @param path behind `/api`: empty, or from its slash on */
  match(path: string, host: RequestHost): UpstreamRoute | null {
    let hostOnly: UpstreamRoute | null = null;
    for (const { settings, route } of this.#mappings) {
      if (settings.frontendHost !== host.name) continue;
      if (settings.frontendPort !== null && settings.frontendPort !== host.port) continue;
      if (settings.pathPrefix === null) hostOnly ??= route;
      else if (matchesPrefix(path === '' ? '/' : path, settings.pathPrefix)) return route;
    }
    return hostOnly;
  }
}
