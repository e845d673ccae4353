import { DynamicModule, Global, Module } from '@nestjs/common';
import { SecretBox } from '#common';
import { AppConfig } from './app-config.js';
import { SettingsInForce } from './settings/settings-in-force.js';

/** Gives everybody the configuration, the settings of config.yml, and the box that seals secrets under its key. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: AppConfig, useValue: config },
        { provide: SettingsInForce, useValue: new SettingsInForce(config.settings) },
        { provide: SecretBox, useValue: new SecretBox(config.secretKey, config.previousSecretKey) },
      ],
      exports: [AppConfig, SettingsInForce, SecretBox],
    };
  }
}
