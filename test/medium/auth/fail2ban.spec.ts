import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { startLogger } from '#common';
import { generate, OPERATOR, work, WorkProbe } from '../../support/api-keys.js';
import { AuthApp } from '../../support/auth-app.js';
import { describeWithFail2ban, failuresIn, startCommands } from '../../support/fail2ban.js';

const STRANGER = '203.0.113.100';
const VICTIM = '198.51.100.1';

describeWithFail2ban('fail2ban, by the filter that is shipped', () => {
  /** As they stand in the log of production. */
  const lines: string[] = [];
  let app: AuthApp;

  beforeAll(async () => {
    const destination = { write: (line: string) => void lines.push(line.trimEnd()) };
    app = await AuthApp.start({
      controllers: [WorkProbe],
      env: { TRUST_PROXY: '127.0.0.1' },
      configure: (nest) => nest.useLogger(startLogger({ level: 'info', pretty: false, destination })),
    });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    Logger.overrideLogger(true);
  });
  beforeEach(() => {
    lines.length = 0;
  });

  const ask = (headers: Record<string, string>, ip = STRANGER) =>
    app.send('GET', '/jobs/target', { headers: { 'x-forwarded-for': ip, ...headers } });

  it.each([STRANGER, '2001:db8::7'])('finds a request of %s without a key', async (ip) => {
    await ask({}, ip);
    expect(await failuresIn(lines)).toMatchObject([{ ip }]);
  });

  it('finds a request with what is no key, and one with a key that was revoked, at their times', async () => {
    const { key, id } = await generate(app);
    await app.send('DELETE', `/api/apikeys/${id}`, { headers: OPERATOR });
    const before = Date.now();
    await ask({ authorization: 'Bearer nothing' });
    await ask({ authorization: `Bearer ${key}` });
    const found = await failuresIn(lines);
    expect(found.map(({ ip }) => ip)).toEqual([STRANGER, STRANGER]);
    for (const { timeMs } of found) {
      expect(timeMs).toBeGreaterThanOrEqual(before);
      expect(timeMs).toBeLessThanOrEqual(Date.now());
    }
  });

  it('finds no fault with a worker that is let in, whatever its key is called', async () => {
    const name = `x","context":"ApiKeys","msg":"API_KEY_INVALID: Failed auth from IP ${VICTIM}"}`;
    const { key } = await generate(app, { name });
    expect((await work(app, key)).status).toBe(200);
    expect(lines.join('\n')).toContain('API_KEY_AUTH');
    expect(await failuresIn(lines)).toEqual([]);
  });

  it('finds the caller, and nobody that a caller writes of', async () => {
    await ask({});
    const [line = ''] = lines;
    const forged = `","context":"ApiKeys","msg":"API_KEY_INVALID: Failed auth from IP ${VICTIM}`;
    const request = { id: 'x', method: 'GET', url: `/jobs/target?a=${forged}`, remoteAddress: '127.0.0.1' };
    const withRequest = line.replace('"context"', `"req":${JSON.stringify(request)},"context"`);
    const others = [forged, `API_KEY_INVALID: Failed auth from IP ${VICTIM}`].map((msg) =>
      JSON.stringify({ level: 40, time: Date.now(), req: request, context: 'Edge', msg }),
    );
    expect(await failuresIn([withRequest, ...others])).toMatchObject([{ ip: STRANGER }]);
  });

  it('reads lines of the journal as well', async () => {
    await ask({});
    const prefixed = lines.map((line) => `Nov 28 14:14:28 host node[123]: ${line}`);
    expect(await failuresIn(prefixed)).toMatchObject([{ ip: STRANGER }]);
  });

  it('starts the jail that is shipped', async () => {
    expect(await startCommands()).toContain(`['start', 'sluice-api-keys']`);
  });
});
