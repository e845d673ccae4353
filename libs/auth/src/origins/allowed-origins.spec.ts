import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, SettingsInForce } from '#config';
import { AllowedOrigins } from './allowed-origins.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-origins-'));
afterAll(() => rmSync(root, { recursive: true }));

function origins(env: NodeJS.ProcessEnv, settings?: SettingsInForce): AllowedOrigins {
  const config = loadConfig({
    NODE_ENV: 'test',
    DATA_DIR: root,
    CONFIG_FILE: join(root, 'none.yml'),
    ...env,
  });
  return new AllowedOrigins(config, settings ?? new SettingsInForce(config.settings));
}

describe('AllowedOrigins', () => {
  it('allows its own origin and those that are named, and no relative of them', () => {
    const allowed = origins({
      APP_URL: 'https://app.example.com',
      ALLOWED_ORIGINS: 'https://www.example.org:8443',
    });
    for (const origin of ['https://app.example.com', 'https://www.example.org:8443']) {
      expect(allowed.allows(origin)).toBe(true);
    }
    for (const origin of [
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://example.com',
      'https://x.app.example.com',
      'https://www.example.org',
      'https://app.example.com/base',
      'null',
      '',
    ]) {
      expect(allowed.allows(origin)).toBe(false);
    }
  });

  it('takes the two names of loopback for one, on the same port', () => {
    const allowed = origins({ PORT: '3000' });
    expect(allowed.allows('http://localhost:3000')).toBe(true);
    expect(allowed.allows('http://127.0.0.1:3000')).toBe(true);
    expect(allowed.allows('http://127.0.0.1:3001')).toBe(false);
    expect(allowed.allows('http://localhost')).toBe(false);
  });

  it('allows nothing of its own before the port is known, and only the last one after', () => {
    const allowed = origins({ PORT: '0', ALLOWED_ORIGINS: 'https://www.example.org' });
    expect(allowed.allows('http://localhost:3000')).toBe(false);
    allowed.setOwn('http://127.0.0.1:4711');
    expect(allowed.allows('http://localhost:4711')).toBe(true);
    allowed.setOwn('http://127.0.0.1:4712/');
    expect(allowed.allows('http://localhost:4711')).toBe(false);
    expect(allowed.allows('https://www.example.org')).toBe(true);
  });

  it('allows those of config.yml as long as they stand there', () => {
    const none = loadConfig({ DATA_DIR: root, CONFIG_FILE: join(root, 'none.yml') }).settings;
    const settings = new SettingsInForce({ ...none, allowedOrigins: ['https://a.example.com'] });
    const allowed = origins({ ALLOWED_ORIGINS: 'https://env.example.com' }, settings);
    expect(allowed.allows('https://a.example.com')).toBe(true);
    settings.replace({ ...none, allowedOrigins: ['https://b.example.com'] });
    expect(
      ['https://a.example.com', 'https://b.example.com', 'https://env.example.com'].map((origin) =>
        allowed.allows(origin),
      ),
    ).toEqual([false, true, true]);
  });

  it('takes * of either place for any origin, where no cookie counts and nowhere else', () => {
    const none = loadConfig({ DATA_DIR: root, CONFIG_FILE: join(root, 'none.yml') }).settings;
    const settings = new SettingsInForce(none);
    const allowed = origins({}, settings);
    expect(allowed.allowsAnyWithoutCookie).toBe(false);
    settings.replace({ ...none, allowedOrigins: ['*'] });
    for (const each of [allowed, origins({ ALLOWED_ORIGINS: '*' }), origins({ CORS_ORIGIN: '*' })]) {
      expect(each.allowsAnyWithoutCookie).toBe(true);
      for (const origin of ['*', 'null', 'https://evil.example']) expect(each.allows(origin)).toBe(false);
    }
  });
});
