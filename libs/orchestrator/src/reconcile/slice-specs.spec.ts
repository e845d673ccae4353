import { describe, expect, it } from '@jest/globals';
import { SecretBox } from '#common';
import { loadConfig } from '#config';
import type { Connection, DatabaseServer, Slice } from '#database';
import { SliceSecrets } from '../slices/slice-secrets.js';
import { SliceSpecs } from './slice-specs.js';

const ACCESS = { database: 'slice_7', role: 'slice_7', password: 'p@ss/word' };
const IN_CONTAINERS = { SLICE_IMAGE: 'acme/app' };

/** What a slice is told of its database, where the gateway finds PostgreSQL so. */
function databaseOf(env: NodeJS.ProcessEnv, host: string, ssl: Connection['ssl'] = false) {
  const config = loadConfig({ NODE_ENV: 'test', SECRET_KEY: 'x'.repeat(32), ...env });
  const connection = { host, port: 5433, user: 'gateway', password: '', database: 'sluice', ssl };
  const server = { connection } as DatabaseServer;
  const specs = new SliceSpecs(config, server, new SliceSecrets(new SecretBox('x'.repeat(32)), config));
  const slice = { id: 7, runtime: config.slices.runtime, image: 'acme/app', envSealed: null } as Slice;
  const told = specs.of(slice, ACCESS, null).env;
  return { host: told['DB_HOST'], url: new URL(told['DATABASE_URL'] ?? '') };
}

describe('where a slice finds its database', () => {
  it.each([
    ['a process', {}, '127.0.0.1', '127.0.0.1'],
    ['a process', {}, 'localhost', 'localhost'],
    ['a container', IN_CONTAINERS, 'localhost', 'host.docker.internal'],
    ['a container', IN_CONTAINERS, '127.0.0.2', 'host.docker.internal'],
    ['a container', IN_CONTAINERS, '::1', 'host.docker.internal'],
    ['a container', IN_CONTAINERS, 'db.example.com', 'db.example.com'],
  ])('%s %j is told of %s as %s', (_, env, gatewayHost, sliceHost) => {
    const { host, url } = databaseOf(env, gatewayHost);
    expect(host).toBe(sliceHost);
    expect(url.host).toBe(`${sliceHost}:5433`);
  });

  it.each([{}, IN_CONTAINERS])('is what SLICE_DB_HOST says, loopback or not (%j)', (env) => {
    expect(databaseOf({ ...env, SLICE_DB_HOST: '10.0.0.5' }, '127.0.0.1').host).toBe('10.0.0.5');
    expect(databaseOf({ ...env, SLICE_DB_HOST: '10.0.0.5' }, 'db.example.com').url.hostname).toBe('10.0.0.5');
    expect(databaseOf({ ...env, SLICE_DB_HOST: 'localhost' }, 'db.example.com').host).toBe('localhost');
  });

  it('has an IPv6 address in brackets in the URL, and bare outside it', () => {
    const { host, url } = databaseOf({ ...IN_CONTAINERS, SLICE_DB_HOST: 'fd00::5' }, '127.0.0.1');
    expect(host).toBe('fd00::5');
    expect(url.host).toBe('[fd00::5]:5433');
  });

  it('is reached with TLS as the gateway reaches it', () => {
    expect(databaseOf({}, 'db', false).url.search).toBe('');
    expect(databaseOf({}, 'db', { rejectUnauthorized: false }).url.search).toBe('?sslmode=require');
    expect(databaseOf({}, 'db', { rejectUnauthorized: true }).url.search).toBe('?sslmode=verify-full');
  });

  it('has the role and its password in the URL, escaped', () => {
    const { url } = databaseOf({}, 'db');
    expect([url.username, decodeURIComponent(url.password), url.pathname]).toEqual([
      'slice_7',
      'p@ss/word',
      '/slice_7',
    ]);
  });
});
