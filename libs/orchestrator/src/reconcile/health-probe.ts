import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';

const POLL_MS = 25;
const PROBE_TIMEOUT_MS = 2000;

/** Asking the runtime as often as the slice would cost more than the start itself. */
const LOOK_MS = 300;

/** Asks a slice's health path once; anything but a 2xx within two seconds is no. */
export async function isHealthy(
  host: string,
  port: number,
  path: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const { statusCode, body } = await request(`http://${host}:${port}${path}`, {
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headersTimeout: PROBE_TIMEOUT_MS,
      bodyTimeout: PROBE_TIMEOUT_MS,
      reset: true,
    });
    await body.dump();
    return statusCode >= 200 && statusCode < 300;
  } catch {
    return false;
  }
}

export interface HealthWait {
  host: string;
  port: number;
  path: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Asked now and then between two probes: a slice that has ended never becomes healthy. What it throws ends the wait. */
  hasEnded: () => Promise<boolean>;
}

/** Waits until the slice answers. A person waits with us, so it is asked often. */
export async function becomesHealthy(options: HealthWait): Promise<'healthy' | 'ended' | 'timeout'> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  let nextLook = performance.now() + LOOK_MS;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    if (await isHealthy(options.host, options.port, options.path, signal)) return 'healthy';
    if (performance.now() >= nextLook) {
      if (await options.hasEnded()) return 'ended';
      nextLook = performance.now() + LOOK_MS;
    }
    await wait(Math.min(POLL_MS * (1 + attempt / 8), 500), undefined, { signal }).catch(() => undefined);
  }
  options.signal.throwIfAborted();
  return 'timeout';
}
