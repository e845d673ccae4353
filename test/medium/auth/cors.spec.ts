import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AllowedOrigins, corsOptions } from '#auth';
import { AuthApp } from '../../support/auth-app.js';

describe('CORS of our own endpoints', () => {
  let app: AuthApp;
  beforeAll(async () => {
    app = await AuthApp.start({
      env: { ALLOWED_ORIGINS: 'https://frontend.example.com' },
      configure: (nest) => nest.enableCors(corsOptions(nest.get(AllowedOrigins))),
    });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const preflight = (origin: string) =>
    app.send('OPTIONS', '/auth/me', { headers: { origin, 'access-control-request-method': 'GET' } });

  it('lets an allowed frontend read answers, with its cookie', async () => {
    const { headers } = await app.send('GET', '/auth/me', {
      headers: { origin: 'https://frontend.example.com' },
    });
    expect(headers.get('access-control-allow-origin')).toBe('https://frontend.example.com');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toMatch(/\bOrigin\b/i);
  });

  it('answers its preflight, for a day', async () => {
    const { status, headers } = await preflight('https://frontend.example.com');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-methods')).toBe('GET,POST,PUT,DELETE,PATCH,OPTIONS');
    expect(headers.get('access-control-allow-headers')).toBe('Content-Type,Authorization');
    expect(headers.get('access-control-max-age')).toBe('86400');
  });

  it('lets nobody else read them', async () => {
    for (const origin of ['https://evil.example', 'null', 'https://frontend.example.com.evil.example']) {
      const { headers } = await app.send('GET', '/auth/me', { headers: { origin } });
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('passes what has no origin', async () => {
    const { status, headers } = await app.send('GET', '/auth/me');
    expect(status).toBe(401);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});
