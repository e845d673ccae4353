import { type Dispatcher, request } from 'undici';
import { errorCode } from '#common';

/** What a probe found. */
export type ProbeResult =
  | { readonly up: true; readonly latencyMs: number }
  | {
      readonly up: false;
      /** For the log. */
      readonly reason: string;
    };

/** Servers that know no HEAD say so by one of these (RFC 9110 §15.5.6, §15.6.2). */
const NO_HEAD: ReadonlySet<number> = new Set([405, 501]);

/**
 * Asks a URL once: any answer from 200 to 399 means up, redirects are not followed.
 * @param signal ends it; then it was down
 */
export async function probe(url: string, dispatcher: Dispatcher, signal: AbortSignal): Promise<ProbeResult> {
  try {
    const head = await ask(url, 'HEAD', dispatcher, signal);
    const { status, latencyMs } = NO_HEAD.has(head.status) ? await ask(url, 'GET', dispatcher, signal) : head;
    return status >= 200 && status < 400 ? { up: true, latencyMs } : { up: false, reason: `HTTP ${status}` };
  } catch (error) {
    return { up: false, reason: signal.aborted ? 'no answer in time' : reasonFor(error) };
  }
}

async function ask(
  url: string,
  method: 'HEAD' | 'GET',
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<{ status: number; latencyMs: number }> {
  const begin = performance.now();
  // No connection is kept for a minute until the next probe.
  const { statusCode, body } = await request(url, { method, dispatcher, signal, reset: true });
  const latencyMs = Math.round(performance.now() - begin);
  // The status has said it all; a body that never ends is cut off.
  await body.dump({ limit: 16_384 }).catch(() => undefined);
  return { status: statusCode, latencyMs };
}

/** A connection that fails at several addresses has no message, but a code. */
function reasonFor(error: unknown): string {
  const told = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof told === 'string' && told !== '' ? told : (errorCode(error) ?? 'no answer');
}
