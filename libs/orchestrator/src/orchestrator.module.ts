import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SliceAllocator } from '#auth';
import { SecretBox } from '#common';
import { AppConfig } from '#config';
import { DatabaseClients, DatabaseServer } from '#database';
import { PostgresSliceDatabase } from './databases/postgres-slice-database.js';
import { PublicAccess } from './databases/public-access.js';
import { SliceDatabaseFigures } from './databases/slice-database-figures.js';
import { SliceDatabaseClients } from './databases/slice-database-clients.js';
import { SliceDatabase } from './databases/slice-database.js';
import { OrchestratorController } from './http/orchestrator.controller.js';
import { SlicesController } from './http/slices.controller.js';
import { StatusService } from './http/status-service.js';
import { InstallationId, openInstallation } from './installation.js';
import { OrphanService } from './orphans/orphan-service.js';
import { PortAllocator } from './ports/port-allocator.js';
import { Convergence } from './reconcile/convergence.js';
import { ReconcileLoop } from './reconcile/reconcile-loop.js';
import { Reconciler } from './reconcile/reconciler.js';
import { SliceEvents } from './events/slice-events.js';
import { SliceEventSweeper } from './events/slice-event-sweeper.js';
import { SliceSpecs } from './reconcile/slice-specs.js';
import { SliceSteps } from './reconcile/slice-steps.js';
import { createRuntime } from './runtimes/create-runtime.js';
import { SliceRuntime } from './runtimes/slice-runtime.js';
import { DepartedCustomers } from './slices/departed-customers.js';
import { ExternalSlices } from './slices/external-slices.js';
import { SliceAudit } from './slices/slice-audit.js';
import { SliceDirectory } from './slices/slice-directory.js';
import { SliceFactory } from './slices/slice-factory.js';
import { SliceHolds } from './slices/slice-holds.js';
import { SliceIdempotency } from './slices/slice-idempotency.js';
import { SliceReach } from './slices/slice-reach.js';
import { SliceRepository } from './slices/slice-repository.js';
import { SliceSecrets } from './slices/slice-secrets.js';
import { SliceService } from './slices/slice-service.js';
import { SliceSupervision } from './slices/slice-supervision.js';
import { WaitingCustomers } from './slices/waiting-customers.js';
import { WarmPool } from './slices/warm-pool.js';
import { WarmPoolAllocator } from './slices/warm-pool-allocator.js';

/** Slices and everything that makes them. Global, because it provides what #auth asks for when somebody signs up. */
@Global()
@Module({
  controllers: [OrchestratorController, SlicesController],
  providers: [
    { provide: InstallationId, inject: [DataSource, SecretBox, AppConfig], useFactory: openInstallation },
    { provide: SliceRuntime, inject: [AppConfig, InstallationId, DatabaseServer], useFactory: createRuntime },
    { provide: DatabaseClients, useClass: SliceDatabaseClients },
    { provide: SliceDatabase, useClass: PostgresSliceDatabase },
    { provide: SliceAllocator, useClass: WarmPoolAllocator },
    PublicAccess,
    PortAllocator,
    SliceRepository,
    SliceSecrets,
    SliceSpecs,
    SliceFactory,
    SliceIdempotency,
    SliceAudit,
    SliceService,
    SliceDirectory,
    SliceHolds,
    SliceReach,
    SliceEvents,
    SliceEventSweeper,
    SliceSteps,
    ExternalSlices,
    SliceSupervision,
    SliceDatabaseFigures,
    Reconciler,
    Convergence,
    ReconcileLoop,
    WaitingCustomers,
    DepartedCustomers,
    WarmPool,
    OrphanService,
    StatusService,
  ],
  exports: [
    DatabaseClients,
    ExternalSlices,
    InstallationId,
    SliceAllocator,
    SliceDatabaseFigures,
    SliceDirectory,
    SliceEvents,
    SliceHolds,
    SliceRuntime,
    SliceService,
    SliceSupervision,
  ],
})
export class OrchestratorModule implements OnModuleInit {
  constructor(
    private readonly ports: PortAllocator,
    private readonly publicAccess: PublicAccess,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.ports.prepare();
    await this.publicAccess.revoke();
  }
}
