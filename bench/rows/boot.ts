import { setTimeout as wait } from 'node:timers/promises';
import { PROXY_CORE } from '../lib/cores.ts';
import { freePort } from '../lib/free-port.ts';
import { gatewayCommand } from '../lib/gateway-command.ts';
import { Pinned } from '../lib/pinned.ts';
import { mebibytes } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { median } from '../lib/statistics.ts';
import { temporaryFolder } from '../lib/temporary.ts';
import { untilAnswers } from '../lib/until.ts';
import type { Row } from './row.ts';

const SECONDS_TARGET = 2;
const MEMORY_TARGET = 180e6;
/** What is only needed to start is collected by then. */
const SETTLE_MS = 3000;

interface Boot {
  readonly seconds: number;
  readonly residentBytes: number;
}

/** From nothing to the first answer of a gateway as `npm start` runs it, whose database is there already. */
export const boot: Row = {
  name: 'boot',
  async run() {
    const dataDir = temporaryFolder();
    await once(dataDir, 0);
    const boots: Boot[] = [];
    for (let round = 0; round < settings.rounds; round++) boots.push(await once(dataDir, SETTLE_MS));
    const seconds = median(boots.map((one) => one.seconds));
    const bytes = median(boots.map(({ residentBytes }) => residentBytes));
    const lines = [
      {
        what: 'boot to ready',
        who: 'Sluice',
        figures: `${seconds.toFixed(2)} s`,
        target: `≤ ${SECONDS_TARGET} s`,
        reached: seconds <= SECONDS_TARGET,
      },
      {
        what: 'resident memory',
        who: 'Sluice',
        figures: `${(bytes / 1e6).toFixed(0)} MB (${mebibytes(bytes)})`,
        target: `≤ ${MEMORY_TARGET / 1e6} MB`,
        reached: bytes <= MEMORY_TARGET,
      },
    ];
    return { lines, data: boots };
  },
};

async function once(dataDir: string, settleMs: number): Promise<Boot> {
  const port = await freePort();
  const env = { PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: 'warn' };
  const begun = performance.now();
  await using gateway = new Pinned(gatewayCommand(), { core: PROXY_CORE, env });
  await gateway.whileAlive(untilAnswers(`http://127.0.0.1:${port}/health`));
  const seconds = (performance.now() - begun) / 1000;
  await wait(settleMs);
  return { seconds, residentBytes: gateway.residentBytes() };
}
