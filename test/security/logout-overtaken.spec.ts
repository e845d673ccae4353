import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hashSessionId, newSessionId } from '#auth';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import { EchoApp } from '../support/echo.js';
import type { Gateway } from '../support/gateway.js';
import { type HeldSessions, startWithHeldSessions } from '../support/held-sessions.js';
import { refusedUpgrade } from '../support/sockets.js';

let app: EchoApp;
let gateway: Gateway;
let sessions: HeldSessions;

beforeAll(async () => {
  app = await EchoApp.start('1');
  ({ gateway, sessions } = await startWithHeldSessions(ASSIGNED_SLICES));
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

it('a logout is not missed while a second cookie of the same request is looked up', async () => {
  const { browser } = await customerWith(gateway, app);
  const live = `${gateway.url}/api/live`;
  // The session is known from here on, so that only the planted cookie has to wait.
  expect((await browser.get('/api/x')).status).toBe(200);
  const reading = sessions.hold();
  const refusal = refusedUpgrade(live, { cookie: `${browser.cookie}; session=${newSessionId()}` });
  await reading;
  await sessions.revoke(hashSessionId(browser.cookie.split('=')[1] ?? ''));
  sessions.release();
  expect(await refusal).toMatchObject({ status: 400, body: { code: 'AMBIGUOUS_SESSION' } });
});
