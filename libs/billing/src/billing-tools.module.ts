import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AllowedOrigins } from '#auth';
import { Installation } from '#database';
import { InstallationId, SliceHolds } from '#orchestrator';
import { subscriptions } from './billing.module.js';

/** Subscriptions without a server around them, for programs that the operator runs. Needs what the BillingModule needs of database and mail. */
@Module({
  providers: [
    ...subscriptions,
    AllowedOrigins,
    SliceHolds,
    { provide: InstallationId, inject: [DataSource], useFactory: readInstallation },
  ],
})
export class BillingToolsModule {}

/** Read only: whether it fits what is configured here is the gateway's to judge. */
async function readInstallation(dataSource: DataSource): Promise<InstallationId> {
  const [installation] = await dataSource.manager.find(Installation, { take: 1 });
  return new InstallationId(installation?.id ?? '');
}
