import { setTimeout as wait } from 'node:timers/promises';

const EVERY_MS = 10;

/**
 * Waits until a URL answers 2xx.
 * @throws the reason of the last failure, after `timeoutMs`
 */
export async function untilAnswers(
  url: string,
  headers: Record<string, string> = {},
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const problem = await problemOf(url, headers);
    if (problem === null) return;
    if (performance.now() > deadline) throw new Error(`${url} does not answer: ${problem}`);
    await wait(EVERY_MS);
  }
}

async function problemOf(url: string, headers: Record<string, string>): Promise<string | null> {
  try {
    const response = await fetch(url, { headers });
    const body = await response.text();
    return response.ok ? null : `${response.status} ${body}`;
  } catch (error) {
    return String(error);
  }
}
