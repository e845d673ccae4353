import { boot } from './boot.ts';
import { dashboard } from './dashboard.ts';
import { databaseSize } from './database-size.ts';
import { latency } from './latency.ts';
import { monitor } from './monitor.ts';
import type { Row } from './row.ts';
import { telemetry } from './telemetry.ts';
import { throughput } from './throughput.ts';
import { transfer } from './transfer.ts';
import { webSockets } from './websockets.ts';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  throughput,
  latency,
  databaseSize,
  webSockets,
  transfer,
  monitor,
  boot,
  dashboard,
  telemetry,
];
