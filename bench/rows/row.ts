import type { RowResult } from '../lib/report.ts';

/** One subject of the benchmark. */
export interface Row {
  readonly name: string;
  run(): Promise<RowResult>;
}
