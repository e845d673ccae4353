import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../../support/assigned-slices.js';
import { EchoApp } from '../../support/echo.js';
import { startWithHeldSessions } from '../../support/held-sessions.js';
import { RawClient } from '../../support/raw-client.js';
import { refusedUpgrade } from '../../support/sockets.js';

let app: EchoApp;

beforeAll(async () => {
  app = await EchoApp.start('1');
});

afterAll(() => app[Symbol.asyncDispose]());

it('refuses an upgrade that was being decided when the stop began, which it would hold open', async () => {
  const { gateway, sessions } = await startWithHeldSessions(ASSIGNED_SLICES);
  const { browser } = await customerWith(gateway, app);
  const reading = sessions.hold();
  const refusal = refusedUpgrade(`${gateway.url}/api/live`, { cookie: browser.cookie });
  await reading;
  const stopped = gateway[Symbol.asyncDispose]();
  await noLongerListening(gateway.url);
  sessions.release();
  expect(await refusal).toMatchObject({ status: 503, body: { code: 'SHUTTING_DOWN' } });
  await stopped;
});

/** Resolves once connections are refused: the stop is under way. */
async function noLongerListening(url: string): Promise<void> {
  for (;;) {
    try {
      using client = await RawClient.connect(Number(new URL(url).port));
      client.write('');
    } catch {
      return;
    }
  }
}
