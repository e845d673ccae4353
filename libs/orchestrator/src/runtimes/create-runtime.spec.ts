import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '#config';
import { InstallationId } from '../installation.js';
import { createRuntime } from './create-runtime.js';

const server = { connection: { host: 'postgres' } } as Parameters<typeof createRuntime>[2];

function runtimeWith(env: NodeJS.ProcessEnv) {
  const config = loadConfig({
    NODE_ENV: 'production',
    SECRET_KEY: 'x'.repeat(32),
    GATEWAY_JWT_SECRET: 'x'.repeat(32),
    ADMIN_KEY: 'x'.repeat(32),
    ADMIN_EMAIL: 'admin@example.com',
    ADMIN_PASSWORD: 'correct horse battery',
    APP_URL: 'https://app.example.com',
    DATABASE_URL: 'postgres://postgres/sluice',
    SLICE_IMAGE: 'acme/app',
    ...env,
  });
  return createRuntime(config, new InstallationId('0123abcd'), server);
}

describe('choosing the runtime', () => {
  it('takes docker where an image is named, and process where that is asked for', () => {
    expect(runtimeWith({}).kind).toBe('docker');
    expect(runtimeWith({ SLICE_RUNTIME: 'process' }).kind).toBe('process');
  });
});
