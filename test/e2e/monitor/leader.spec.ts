import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { Installation } from '../../support/installation.js';
import { NoticeReceiver } from '../../support/notice-receiver.js';

/** Long enough to tell a take-over within one interval from a loop that starts from anew, on a busy machine too. */
const INTERVAL_SECONDS = 4;

/** A pass begins late by a twentieth of an interval, and who takes over stands for election every half second. */
const TOLERANCE_MS = 1000;

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

/** Who made each pass, and when it began, from now on. */
async function recordPasses(): Promise<void> {
  await installation.query('CREATE TABLE pass_made (pid int, at timestamptz)');
  await installation.query(`
    CREATE FUNCTION record_pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO pass_made VALUES (substring(NEW.last_pass_by from '\\((\\d+)\\)')::int, NEW.last_pass_at);
      RETURN NULL;
    END $$`);
  await installation.query(
    'CREATE TRIGGER record_pass AFTER UPDATE OF last_pass_by ON monitor_state FOR EACH ROW EXECUTE FUNCTION record_pass()',
  );
}

const passesMade = () =>
  installation.query<{ pid: number; at: Date }>('SELECT pid, at FROM pass_made ORDER BY at');

describe('the replica that watches', () => {
  it('is followed by another within one interval when it is killed, and no two watch together', async () => {
    const gateways = await Promise.all([
      GatewayProcess.start(installation),
      GatewayProcess.start(installation),
    ]);
    await recordPasses();
    const first = await eventually(async () => {
      const pid = await leader();
      expect(gateways.map((gateway) => gateway.pid)).toContain(pid);
      return pid;
    });
    // By then two that watch would have taken turns.
    await eventually(async () => expect((await passesMade()).length).toBeGreaterThan(2), 30_000);
    const killed = gateways.find(({ pid }) => pid === first);
    const other = gateways.find(({ pid }) => pid !== first);
    await killed?.kill();
    const killedAt = Date.now();
    const ofOther = async () => (await passesMade()).filter(({ pid }) => pid === other?.pid);
    await eventually(async () => expect((await ofOther()).length).toBeGreaterThan(2), 30_000);
    await other?.stop();

    const next = (await ofOther())[0]?.at.getTime() ?? Infinity;
    expect(next - killedAt).toBeLessThan(INTERVAL_SECONDS * 1000 + TOLERANCE_MS);
    const passes = await passesMade();
    // Whoever watches does so alone, from its first pass to its last.
    const successions = passes.filter(({ pid }, i) => i > 0 && pid !== passes[i - 1]?.pid);
    expect(successions).toHaveLength(1);
    const times = (await ofOther()).map(({ at }) => at.getTime());
    // The first may come at once; from the second on they come with the schedule.
    for (const [i, time] of times.entries())
      if (i > 1) expect(time - (times[i - 1] ?? 0)).toBeGreaterThan(INTERVAL_SECONDS * 1000 - TOLERANCE_MS);
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
