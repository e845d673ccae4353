import { Module } from '@nestjs/common';
import { MonitorModule } from '#monitor';
import { ProxyModule } from '#proxy';
import { AuditController } from './audit/audit.controller.js';
import { AuditDirectory } from './audit/audit-directory.js';
import { AuditSweeper } from './audit/audit-sweeper.js';
import { ConfigurationFollower } from './config/configuration-follower.js';
import { ConfigurationStore } from './config/configuration-store.js';
import { ConfigurationController } from './config/configuration.controller.js';
import { ConfigurationService } from './config/configuration.service.js';
import { DashboardController } from './dashboard/dashboard.controller.js';
import { DashboardService } from './dashboard/dashboard.service.js';
import { SliceDetailService } from './dashboard/slice-detail.service.js';
import { ApiDocument } from './documentation/api-document.js';
import { DocumentationController } from './documentation/documentation.controller.js';
import { BackendHealthController } from './pools/backend-health.controller.js';
import { GatewayStatsController } from './pools/gateway-stats.controller.js';
import { PoolAdministration } from './pools/pool-administration.js';
import { PoolViews } from './pools/pool-views.js';
import { PoolsController } from './pools/pools.controller.js';
import { RouteExplainer } from './routes/route-explainer.js';
import { RoutesController } from './routes/routes.controller.js';
import { SliceListing } from './slices/slice-listing.js';
import { SliceRegistry } from './slices/slice-registry.js';
import { SliceWatchController } from './slices/slice-watch.controller.js';
import { SliceWatch } from './slices/slice-watch.js';
import { EventStreams } from './streams/event-streams.js';
import { SlicesController } from './slices/slices.controller.js';
import { UserAdministration } from './users/user-administration.js';
import { UserDirectory } from './users/user-directory.js';
import { UsersController } from './users/users.controller.js';

/** What the operator sees and changes. Needs what the libraries below provide to everybody. */
@Module({
  imports: [ProxyModule, MonitorModule],
  controllers: [
    DashboardController,
    AuditController,
    DocumentationController,
    UsersController,
    SlicesController,
    SliceWatchController,
    ConfigurationController,
    RoutesController,
    PoolsController,
    BackendHealthController,
    GatewayStatsController,
  ],
  providers: [
    DashboardService,
    SliceDetailService,
    ApiDocument,
    AuditDirectory,
    AuditSweeper,
    SliceListing,
    SliceWatch,
    EventStreams,
    SliceRegistry,
    UserDirectory,
    UserAdministration,
    ConfigurationStore,
    ConfigurationFollower,
    ConfigurationService,
    RouteExplainer,
    PoolViews,
    PoolAdministration,
  ],
})
export class AdminModule {}
