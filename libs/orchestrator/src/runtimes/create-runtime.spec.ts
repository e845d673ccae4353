import { describe, expect, it } from '@jest/globals';
import { type AppConfig, loadConfig } from '#config';
import { InstallationId } from '../installation.js';
import { createRuntime, dockerOptions } from './create-runtime.js';

const server = { connection: { host: 'postgres' } } as Parameters<typeof createRuntime>[2];

function configWith(env: NodeJS.ProcessEnv): AppConfig {
  return loadConfig({
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
}

function runtimeWith(env: NodeJS.ProcessEnv) {
  return createRuntime(configWith(env), new InstallationId('0123abcd'), server);
}

function networkWith(env: NodeJS.ProcessEnv) {
  return dockerOptions(configWith(env), new InstallationId('0123abcd'), server).network;
}

describe('choosing the runtime', () => {
  it('takes docker where an image is named, and process where that is asked for', async () => {
    expect((await runtimeWith({})).kind).toBe('docker');
    expect((await runtimeWith({ SLICE_RUNTIME: 'process' })).kind).toBe('process');
  });
});

describe('the networks of slices in containers', () => {
  it('are not made for a gateway on the host', () => {
    expect(networkWith({ SLICE_DB_HOST: 'pooler' })).toBeNull();
  });

  it.each([
    ['the gateway’s', {}, 'postgres'],
    ['the one of SLICE_DB_HOST', { SLICE_DB_HOST: 'pooler' }, 'pooler'],
  ])('are joined by the PostgreSQL that slices use: %s', (_which, env, host) => {
    expect(networkWith({ SLICE_NETWORK: 'acme', ...env })).toMatchObject({ prefix: 'acme', attach: [host] });
  });
});
