import { describe, expect, it } from '@jest/globals';
import { AuthApp, PASSWORD } from '../../support/auth-app.js';

const from = (ip: string) => ({ 'x-forwarded-for': ip });

const signUp = (app: AuthApp, ip: string, email = `${crypto.randomUUID()}@example.com`) =>
  app.send('POST', '/auth/register', { body: { email, password: PASSWORD }, headers: from(ip) });

describe('the limit of /auth/* for an address', () => {
  it('counts all of its endpoints together, and says when to come back', async () => {
    await using app = await AuthApp.start({ limits: { perAddress: 3 } });
    const first = await app.send('GET', '/auth/me');
    expect(first.status).toBe(401);
    expect(first.headers.get('ratelimit-limit')).toBe('3');
    expect(first.headers.get('ratelimit-remaining')).toBe('2');
    expect(Number(first.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    await app.send('POST', '/auth/logout');
    await app.send('POST', '/auth/login', { body: {} });

    const refused = await app.register();
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' }, cookie: '' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-limit')).toBe('3');
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
  });

  it('goes by the client that a trusted proxy names, and by no other claim', async () => {
    await using trusting = await AuthApp.start({
      limits: { perAddress: 1 },
      env: { TRUST_PROXY: '127.0.0.1' },
    });
    expect((await trusting.send('GET', '/auth/me', { headers: from('203.0.113.1') })).status).toBe(401);
    expect((await trusting.send('GET', '/auth/me', { headers: from('203.0.113.2') })).status).toBe(401);
    expect((await trusting.send('GET', '/auth/me', { headers: from('6.6.6.6, 203.0.113.1') })).status).toBe(
      429,
    );

    await using wary = await AuthApp.start({ limits: { perAddress: 1 } });
    expect((await wary.send('GET', '/auth/me', { headers: from('203.0.113.1') })).status).toBe(401);
    expect((await wary.send('GET', '/auth/me', { headers: from('203.0.113.2') })).status).toBe(429);
  });
});

describe('the limit of sign-ins to an account', () => {
  const env = { TRUST_PROXY: '127.0.0.1' };

  it('refuses a network that keeps trying, the right password too', async () => {
    await using app = await AuthApp.start({ limits: { loginsPerAccountAndNetwork: 2 }, env });
    const { email } = await app.register();
    for (const ip of ['203.0.113.1', '203.0.113.2']) {
      expect((await app.login(email, 'wrong', from(ip))).status).toBe(401);
    }
    const refused = await app.login(email, PASSWORD, from('203.0.113.3'));
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Of this limit, not of the one of the address, which has requests left.
    expect(refused.headers.get('ratelimit-limit')).toBe('2');
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect((await app.login((await app.register()).email, PASSWORD, from('203.0.113.3'))).status).toBe(200);
  });

  it('never locks the owner out, however many strangers fail from elsewhere', async () => {
    const limits = { loginsPerAccountAndNetwork: 2, promptLogins: 1, firstDelayMs: 1, maxDelayMs: 5 };
    await using app = await AuthApp.start({ limits, env });
    const { email } = await app.register();
    for (let i = 0; i < 20; i++) await app.login(email, 'wrong', from(`198.51.${i}.1`));
    expect((await app.login(email, PASSWORD, from('203.0.113.1'))).status).toBe(200);
  });

  it('is cleared by a sign-in that succeeds', async () => {
    await using app = await AuthApp.start({ limits: { loginsPerAccountAndNetwork: 2 }, env });
    const { email } = await app.register();
    for (let i = 0; i < 3; i++) {
      expect((await app.login(email, 'wrong', from('203.0.113.1'))).status).toBe(401);
      expect((await app.login(email, PASSWORD, from('203.0.113.1'))).status).toBe(200);
    }
  });

  it('makes answers slower with every try, from wherever, whether or not there is such an account', async () => {
    const limits = { promptLogins: 1, firstDelayMs: 200, maxDelayMs: 400 };
    await using app = await AuthApp.start({ limits, env });
    const { email } = await app.register();
    for (const who of [email, 'nobody@example.com']) {
      const times = [];
      for (let i = 0; i < 4; i++) {
        const start = performance.now();
        expect((await app.login(who, 'wrong', from(`198.51.${i}.1`))).status).toBe(401);
        times.push(performance.now() - start);
      }
      // Timers of Node may fire a millisecond early.
      expect(times[1]).toBeGreaterThan(198);
      expect(times[2]).toBeGreaterThan(398);
      expect(times[3]).toBeGreaterThan(398);
    }
  });
});

describe('the limit of sign-ups from a network', () => {
  const env = { TRUST_PROXY: '127.0.0.1', SIGNUPS_PER_HOUR: '2' };

  it('refuses what is over it, says when to come back, and leaves other networks alone', async () => {
    await using app = await AuthApp.start({ env });
    expect((await signUp(app, '203.0.113.1')).status).toBe(201);
    expect((await signUp(app, '203.0.113.2')).status).toBe(201);
    const refused = await signUp(app, '203.0.113.3', 'late@example.com');
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' }, cookie: '' });
    expect(refused.headers.get('ratelimit-limit')).toBe('2');
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect(refused.headers.get('ratelimit-reset')).toBe(refused.headers.get('retry-after'));
    expect((await signUp(app, '198.51.100.1', 'late@example.com')).status).toBe(201);
  });

  it('does not count a sign-up that makes no account', async () => {
    await using app = await AuthApp.start({ env });
    const { email } = (await signUp(app, '203.0.113.1')).body.user;
    for (let i = 0; i < 3; i++) {
      expect((await signUp(app, '203.0.113.1', email)).body).toMatchObject({ code: 'EMAIL_TAKEN' });
      expect((await signUp(app, '203.0.113.1', 'nobody')).status).toBe(400);
    }
    expect((await signUp(app, '203.0.113.1')).status).toBe(201);
    expect((await signUp(app, '203.0.113.1')).status).toBe(429);
  });

  it('holds for many that come at once', async () => {
    await using app = await AuthApp.start({ env });
    const answers = await Promise.all(Array.from({ length: 6 }, () => signUp(app, '203.0.113.1')));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201, 201, 429, 429, 429, 429,
    ]);
  });
});
