import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { Installation } from '../../support/installation.js';
import { NoticeReceiver } from '../../support/notice-receiver.js';

/** Long enough to tell a take-over within one interval from a loop that starts from anew, on a busy machine too. */
const INTERVAL_SECONDS = 4;

let installation: Installation;
let receiver: NoticeReceiver;

beforeEach(async () => {
  receiver = await NoticeReceiver.start();
  installation = await Installation.create({
    MONITOR_INTERVAL_SECONDS: String(INTERVAL_SECONDS),
    APPRISE_URL: `http://127.0.0.1:${receiver.port}/notify/x`,
  });
});
afterEach(async () => {
  await installation[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** The process that made the latest pass. */
async function leader(): Promise<number> {
  const [state] = await installation.query<{ by: string | null }>(
    'SELECT last_pass_by AS by FROM monitor_state',
  );
  return Number(/\((\d+)\)/.exec(state?.by ?? '')?.[1]);
}

const passes = () =>
  installation
    .query<{ at: Date }>('SELECT at FROM server_sample ORDER BY at')
    .then((rows) => rows.map(({ at }) => at.getTime()));

describe('the replica that watches', () => {
  it('is followed by another within one interval when it is killed, and no two watch together', async () => {
    const gateways = await Promise.all([
      GatewayProcess.start(installation),
      GatewayProcess.start(installation),
    ]);
    const first = await eventually(async () => {
      const pid = await leader();
      expect(gateways.map((gateway) => gateway.pid)).toContain(pid);
      return pid;
    });
    await eventually(async () => expect((await passes()).length).toBeGreaterThan(1), 20_000);
    const killed = gateways.find(({ pid }) => pid === first);
    const other = gateways.find(({ pid }) => pid !== first);
    await killed?.kill();
    const killedAt = Date.now();
    await eventually(async () => expect(await leader()).toBe(other?.pid), 20_000);
    await eventually(async () => expect((await passes()).at(-1)).toBeGreaterThan(killedAt), 20_000);
    await eventually(async () => expect((await passes()).length).toBeGreaterThan(4), 30_000);
    const times = await passes();
    // One more interval for a machine that is busy with other things.
    const next = times.find((time) => time > killedAt) ?? Infinity;
    expect(next - killedAt).toBeLessThan(2 * INTERVAL_SECONDS * 1000);
    // Two that watch would make twice as many.
    const span = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
    expect(times.length).toBeLessThanOrEqual(span / INTERVAL_SECONDS + 3);
    await other?.stop();
  }, 90_000);

  it('that is killed before it knows that a notice was taken leaves one that comes twice, with the same id', async () => {
    const gateway = await GatewayProcess.start(installation);
    receiver.onNotice = async () => {
      receiver.onNotice = () => undefined;
      await gateway.kill();
    };
    await installation.query(
      `INSERT INTO outgoing_notice (id, channel, title, body, type, created_at, next_attempt_at)
       VALUES (gen_random_uuid(), 'apprise', 'one notice', '', 'info', now(), now())`,
    );
    await eventually(async () => expect(receiver.titles).toEqual(['one notice']));
    await gateway.end();
    // Its next attempt is due now.
    await installation.query(`UPDATE outgoing_notice SET next_attempt_at = now()`);
    await using next = await GatewayProcess.start(installation);
    await eventually(async () => expect(await installation.query('SELECT FROM outgoing_notice')).toEqual([]));
    expect(receiver.titles).toEqual(['one notice', 'one notice']);
    expect(next.killed).toBe(false);
  }, 60_000);
});
