import { Pool } from 'undici';
import { percentile } from '../lib/statistics.ts';

/*
 * Sends requests at a fixed rate, however long the answers take, and prints what they took as JSON, in milliseconds.
 * A generator that waits for its answers would send less just when the proxy is slow, and so not see it.
 *   node fixed-rate.ts <url> <requests per second> <seconds> <cookie>
 */
const [, , target = '', rateText = '', secondsText = '', cookie = ''] = process.argv;
const { origin, pathname } = new URL(target);
const rate = Number(rateText);
const total = rate * Number(secondsText);
/** Connections are being opened and code is being compiled. */
const discarded = rate;

const pool = new Pool(origin, { connections: 64, pipelining: 1 });
const took: number[] = [];
const pending = new Set<Promise<void>>();

async function send(number: number): Promise<void> {
  const started = performance.now();
  const { statusCode, body } = await pool.request({ path: pathname, method: 'GET', headers: { cookie } });
  await body.dump();
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  if (number >= discarded) took.push(performance.now() - started);
}

const begun = performance.now();
let sent = 0;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const due = Math.min(total + discarded, ((performance.now() - begun) / 1000) * rate);
    for (; sent < due; sent++) {
      const request = send(sent).finally(() => pending.delete(request));
      pending.add(request);
    }
    if (sent < total + discarded) return;
    clearInterval(timer);
    resolve();
  }, 1);
});
await Promise.all(pending);
await pool.close();
process.stdout.write(JSON.stringify({ median: percentile(took, 50), p99: percentile(took, 99) }));
