export * from './app-config.js';
export { ConfigError } from './config-error.js';
export { ConfigModule } from './config.module.js';
export { environmentExample } from './environment-example.js';
export { loadConfig } from './load-config.js';
export { isOwnPath } from './own-paths.js';
export type * from './settings/file-settings.js';
export { SettingsInForce } from './settings/settings-in-force.js';
export { parseBytes, SLICE_SUBNET_LENGTH } from './values.js';
