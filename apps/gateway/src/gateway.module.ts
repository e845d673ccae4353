import { DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { AdminModule } from '#admin';
import { AuthModule } from '#auth';
import { BillingModule } from '#billing';
import { CommonModule, DomainErrorFilter, LoggingModule, type LoggingOptions, validationPipe } from '#common';
import { ConfigModule, type AppConfig } from '#config';
import { DatabaseModule, DatabaseResources } from '#database';
import { MailModule } from '#mail';
import { MonitorModule } from '#monitor';
import { OrchestratorModule } from '#orchestrator';
import { ProxyModule } from '#proxy';
import { StaticFiles } from './static-files.js';

/** The whole gateway, put together. */
@Module({})
export class GatewayModule {
  /** @param resources closes the database when the gateway can't be built; a gateway that was built does so itself */
  static forRoot(config: AppConfig, resources = new DatabaseResources()): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        LoggingModule.forRoot(loggingOptions(config)),
        CommonModule,
        ConfigModule.forRoot(config),
        DatabaseModule.forRoot(resources),
        MailModule.forRoot(config),
        AuthModule.forRoot(config),
        OrchestratorModule,
        ProxyModule,
        BillingModule,
        MonitorModule,
        AdminModule,
      ],
      providers: [
        { provide: APP_FILTER, useClass: DomainErrorFilter },
        { provide: APP_PIPE, useFactory: validationPipe },
        StaticFiles,
      ],
    };
  }
}

/** How the gateway logs, from its first line on. */
export function loggingOptions({ logLevel, mode }: AppConfig): LoggingOptions {
  return { level: logLevel, pretty: mode === 'development' };
}
