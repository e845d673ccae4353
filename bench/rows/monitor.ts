import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PROXY_CORE } from '../lib/cores.ts';
import { Database } from '../lib/database.ts';
import { Pinned } from '../lib/pinned.ts';
import { count } from '../lib/report.ts';
import { settings } from '../lib/settings.ts';
import { median } from '../lib/statistics.ts';
import { temporaryFolder } from '../lib/temporary.ts';
import { Upstream } from '../lib/upstream.ts';
import type { PassFigures } from '../monitor/passes.ts';
import type { Row } from './row.ts';

const SLICES = 1000;
const SECONDS_TARGET = 10;
const LAG_TARGET_MS = 50;
/** The first one makes the connections and the day's tables, and compiles what it runs. */
const WARM_UP = 1;
const PASSES_A_ROUND = 3;

const PROGRAM = fileURLToPath(new URL('../monitor/passes.ts', import.meta.url));

/** One look of the monitor at a thousand slices, on the core of the gateway, and how long requests would wait for it. */
export const monitor: Row = {
  name: 'monitor',
  async run() {
    await using upstream = await Upstream.start();
    await using database = await Database.start();
    await using gateway = await startGateway(database);
    await addSlices(database, new URL(upstream.origin));
    const passes: PassFigures[] = [];
    for (let i = 0; i < WARM_UP + settings.rounds * PASSES_A_ROUND; i++) {
      const figures = await pass(gateway);
      if (i >= WARM_UP) passes.push(figures);
    }
    const seconds = median(passes.map((each) => each.seconds));
    const lag = median(passes.map(({ lagP99Ms }) => lagP99Ms));
    const samples = Math.min(...passes.map((each) => each.samples));
    const lines = [
      {
        what: 'monitor',
        who: `Sluice, a pass over ${count(SLICES)} slices`,
        figures: `${seconds.toFixed(2)} s, ${count(samples)} found healthy`,
        target: `≤ ${SECONDS_TARGET} s`,
        reached: seconds <= SECONDS_TARGET && samples === SLICES,
      },
      {
        what: 'monitor, event-loop lag',
        who: 'Sluice, during the pass',
        figures: `p99 ${lag.toFixed(1)} ms`,
        target: `≤ ${LAG_TARGET_MS} ms`,
        reached: lag <= LAG_TARGET_MS,
      },
    ];
    return { lines, data: passes };
  },
};

async function startGateway(database: Database): Promise<Pinned> {
  const env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    PORT: '0',
    DATA_DIR: temporaryFolder(),
    DATABASE_URL: database.url,
    SLICE_POOL_SIZE: '0',
    // Passes are made when they are asked for.
    MONITOR_INTERVAL_SECONDS: '0',
  };
  const command = [process.execPath, PROGRAM, String(SLICES)];
  const gateway = new Pinned(command, { core: PROXY_CORE, env, ipc: true });
  await gateway.whileAlive(once(gateway.child, 'message'));
  return gateway;
}

async function addSlices(database: Database, { hostname, port }: URL): Promise<void> {
  await database.run([
    `INSERT INTO slice (name, runtime, memory_bytes, cpus, spec_hash, status, observed_generation, host, port)
     SELECT 'slice ' || n, 'process', 1, 1, '', 'active', 1, $1, $2 FROM generate_series(1, $3::int) n`,
    [hostname, Number(port), SLICES],
  ]);
}

async function pass(gateway: Pinned): Promise<PassFigures> {
  const answer = once(gateway.child, 'message');
  gateway.child.send('pass');
  const [figures] = await gateway.whileAlive(answer);
  return figures as PassFigures;
}
