import 'reflect-metadata';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { loadConfig } from '#config';
import { GatewayModule } from '#gateway';
import { MonitorPass } from '#monitor';
import { SliceRuntime } from '#orchestrator';

/*
 * A gateway that makes passes when it is told to, in a process of its own: its event loop is what is looked at. The
 * runtime is a stub that knows every slice of the database; slices, backends and PostgreSQL are real, and elsewhere.
 */

/** What one pass took. */
export interface PassFigures {
  readonly seconds: number;
  readonly lagP99Ms: number;
  readonly samples: number;
}

/** A histogram counts this much of waiting where there is no lag at all. */
const RESOLUTION_MS = 5;

const ids = Array.from({ length: Number(process.argv[2]) }, (_, i) => i + 1);
let looks = 0;
const runtime = {
  kind: 'process',
  check: () => Promise.resolve(),
  reach: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
  list: () => Promise.resolve(ids.map((sliceId) => ({ sliceId, generation: 1, state: 'running' }))),
  usage: () => Promise.resolve({ memoryBytes: 64e6, cpuSeconds: (looks += 0.01) }),
};

const config = loadConfig(process.env);
const module = await Test.createTestingModule({ imports: [GatewayModule.forRoot(config)] })
  .overrideProvider(SliceRuntime)
  .useValue(runtime)
  .compile();
const app = await module.init();

async function measure(): Promise<PassFigures> {
  const lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  lag.enable();
  const begin = performance.now();
  await app.get(MonitorPass).run(new AbortController().signal, Promise.resolve());
  const seconds = (performance.now() - begin) / 1000;
  lag.disable();
  const [{ samples }] = await app.get(DataSource).query<[{ samples: number }]>(
    `SELECT count(*)::int AS samples FROM slice_sample
        WHERE healthy AND at = (SELECT last_pass_at FROM monitor_state)`,
  );
  return { seconds, lagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - RESOLUTION_MS), samples };
}

process.on('message', () => {
  void measure().then((figures) => process.send?.(figures));
});
process.once('SIGTERM', () => void app.close().finally(() => process.exit()));
process.send?.('ready');
