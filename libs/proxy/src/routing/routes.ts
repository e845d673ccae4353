import { Injectable, Logger } from '@nestjs/common';
import { AppConfig, type FileSettings, SettingsInForce } from '#config';
import { Pools } from '../targets/pools.js';
import { compileRoutes } from './compile.js';
import type { RouteTable } from './route-table.js';

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
      this.logger.log(
        `the routes of config.yml changed: ${changed.routes.length} and ${changed.mappings.length}`,
      );
    });
  }

  get current(): RouteTable {
    return this.table;
  }

  private compile(settings: FileSettings): RouteTable {
    const { slices, oidc } = this.config;
    const fixed = { slicePaths: slices.paths, ownPaths: oidc === null ? [] : [oidc.redirectPath] };
    return compileRoutes(settings, fixed, this.pools);
  }
}
