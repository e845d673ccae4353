import { Injectable, Logger } from '@nestjs/common';
import { AppConfig, type FileSettings, SettingsInForce } from '#config';
import { Pools } from '../targets/pools.js';
import { isAmbiguous, readRequestPath } from '../http/path.js';
import { compileRoutes } from './compile.js';
import type { RouteExplanation, RouteTable } from './route-table.js';

export interface ExplainedRequest extends RouteExplanation {
  /** Normalised, without the query. */
  readonly path: string;
  /** Whether it is refused, since another server might read the path so that it leads elsewhere. */
  readonly ambiguous: boolean;
}

/**
 * The route table in force. It follows the settings of config.yml, and is swapped as a whole: a request that was matched
 * goes where it was matched to.
 */
@Injectable()
export class Routes {
  private readonly logger = new Logger(Routes.name);
  private table: RouteTable;

  constructor(
    private readonly config: AppConfig,
    private readonly pools: Pools,
    settings: SettingsInForce,
  ) {
    this.table = this.compile(settings.current);
    settings.onChange((changed) => {
      this.table = this.compile(changed);
      const { routes, mappings, workers } = changed;
      this.logger.log(
        `routes of config.yml in force: ${routes.length} routes and services, ${mappings.length} mappings, ${workers.length} paths of workers`,
      );
    });
  }

  get current(): RouteTable {
    return this.table;
  }

  /**
   * Where a request would go, and why.
   * @param target path and query as a client sends them
   * @returns null for a path that is refused, whatever the routes are
   */
  explain(method: string, target: string, host: string, secure: boolean): ExplainedRequest | null {
    const path = readRequestPath(target);
    if (path === null) return null;
    const { table } = this;
    const ambiguous = isAmbiguous(path, (candidate) => table.match(method, candidate, host, secure));
    return { path: path.path, ambiguous, ...table.explain(method, path.path, host, secure) };
  }

  private compile(settings: FileSettings): RouteTable {
    const { slices, oidc } = this.config;
    const fixed = { slicePaths: slices.paths, ownPaths: oidc === null ? [] : [oidc.redirectPath] };
    return compileRoutes(settings, fixed, this.pools);
  }
}
