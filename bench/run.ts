import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { LOAD_CORE } from './lib/cores.ts';
import { installPeers, installPrograms } from './lib/programs.ts';
import { renderTable, type RowResult } from './lib/report.ts';
import { settings } from './lib/settings.ts';
import { rows } from './rows/index.ts';

/*
 * The benchmark (docs/performance.md):
 *   npm run bench                                    all rows
 *   npm run bench -- throughput latency              some of them
 *   npm run bench -- throughput --rounds 1 --seconds 2 --profile
 */
const unknown = settings.rows.filter((name) => rows.every((row) => row.name !== name));
if (unknown.length > 0) {
  console.error(`No such row: ${unknown.join(', ')}. There are: ${rows.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
// A Ctrl-C ends the programs that were started; the row fails by that, and takes down what it had put up.
process.on('SIGINT', () => undefined);
installPrograms(['wrk', 'nginx', 'haproxy']);
installPeers();
// What the rows start by themselves inherits this, so the proxy's core is left to the proxy.
execFileSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' });

const results: Record<string, RowResult> = {};
for (const row of rows) {
  if (settings.rows.length > 0 && !settings.rows.includes(row.name)) continue;
  console.error(`${row.name} …`);
  try {
    results[row.name] = await row.run();
  } catch (error) {
    // The other rows have their figures all the same.
    console.error(error);
    process.exitCode = 1;
  }
}

const lines = Object.values(results).flatMap((result) => result.lines);
process.stdout.write(`${renderTable(lines)}\n`);

const date = new Date().toISOString().slice(0, 10);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const [cpu] = cpus();
const machine = { cpu: cpu?.model, cores: cpus().length, node: process.version };
const file = new URL(`results/${date}.json`, import.meta.url);
mkdirSync(new URL('.', file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ date, commit, machine, settings, results }, null, 2)}\n`);
console.error(`Written: ${file.pathname}`);
