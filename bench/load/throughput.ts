import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOAD_CORE } from '../lib/cores.ts';
import { findProgram } from '../lib/programs.ts';
import { temporaryFolder } from '../lib/temporary.ts';
import { packageProgram } from '../peers/servers/command.ts';

export const CONNECTIONS = 64;

/** What one run of the generator did. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
}

const run = promisify(execFile);

/**
 * Sends as many requests as 64 keep-alive connections bear: by wrk, or by autocannon, which takes more CPU time than
 * most of what it measures, where wrk is missing.
 * @param cookies the `Cookie` headers to send in turn; none where nobody has to be signed in
 * @throws Error where any request failed or was not answered 2xx or 3xx
 */
export async function throughput(url: string, cookies: readonly string[], seconds: number): Promise<Load> {
  const wrk = findProgram('wrk');
  const load = await (wrk === null ? byAutocannon(url, cookies, seconds) : byWrk(wrk, url, cookies, seconds));
  if (load.failed > 0) throw new Error(`${url}: ${load.failed} of ${load.requests} requests failed`);
  return load;
}

async function byWrk(
  wrk: string,
  url: string,
  cookies: readonly string[],
  seconds: number,
): Promise<Load & { failed: number }> {
  const file = join(temporaryFolder(), 'cookies.txt');
  writeFileSync(file, (cookies.length === 0 ? ['nobody=1'] : cookies).join('\n'));
  const script = fileURLToPath(new URL('wrk.lua', import.meta.url));
  const args = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '-s', script, url, '--', file];
  const { stdout } = await run('taskset', ['-c', String(LOAD_CORE), wrk, ...args]);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{')));
}

async function byAutocannon(
  url: string,
  cookies: readonly string[],
  seconds: number,
): Promise<Load & { failed: number }> {
  const program = packageProgram('autocannon/autocannon.js');
  const cookie = cookies.length === 0 ? [] : ['-H', `Cookie: ${cookies[0]}`];
  const args = ['-c', String(CONNECTIONS), '-d', String(seconds), ...cookie, '--json', url];
  const { stdout } = await run('taskset', ['-c', String(LOAD_CORE), process.execPath, program, ...args]);
  const { requests, duration, errors, non2xx } = JSON.parse(stdout);
  return { requests: requests.total, seconds: duration, failed: errors + non2xx };
}
