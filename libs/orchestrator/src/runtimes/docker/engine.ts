import Docker from 'dockerode';
import { RuntimeUnavailableError } from '../errors.js';

/** A call may take as long as a container's grace; an engine that says nothing for longer is as good as down. */
const SILENCE_TIMEOUT_MS = 120_000;

/**
 * A client of the Docker Engine API.
 * @param host as in DOCKER_HOST, `unix:///path` or `tcp://host:port`; null: the engine's usual socket
 * @param timeout after so many milliseconds without a byte it is given up; 0: never
 */
export function connectEngine(host: string | null, timeout = SILENCE_TIMEOUT_MS): Docker {
  const url = new URL(host ?? 'unix:///var/run/docker.sock');
  // An explicit `host: undefined` keeps the client from reading DOCKER_HOST itself.
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname, host: undefined, timeout });
  const isTls = url.protocol === 'https:' || url.port === '2376';
  return new Docker({
    host: url.hostname,
    port: url.port || 2375,
    protocol: isTls ? 'https' : 'http',
    timeout,
  });
}

/** The engine answered, but did not do it. What no caller understands surfaces as the engine's unavailability. */
export class EngineRefusal extends RuntimeUnavailableError {
  constructor(
    readonly status: number,
    /** The engine's own words. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`the Docker Engine answered ${status}: ${reason}`, options);
  }
}

/**
 * Awaits an answer of the engine.
 * @throws EngineRefusal when it answers an error
 * @throws RuntimeUnavailableError when it doesn't answer
 */
export async function ask<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const fault: object = Object(cause);
    if ('name' in fault && fault.name === 'AbortError') throw cause;
    if ('statusCode' in fault && typeof fault.statusCode === 'number') {
      throw new EngineRefusal(fault.statusCode, reasonOf(fault), { cause });
    }
    throw new RuntimeUnavailableError('the Docker Engine does not answer', { cause });
  }
}

/** Like `ask`, but null when the engine answers one of these statuses: not there, already so. */
export async function askUnless<T>(statuses: readonly number[], answer: Promise<T>): Promise<T | null> {
  try {
    return await ask(answer);
  } catch (error) {
    if (error instanceof EngineRefusal && statuses.includes(error.status)) return null;
    throw error;
  }
}

/** Like `ask`, but null when there is no such thing. */
export function find<T>(answer: Promise<T>): Promise<T | null> {
  return askUnless([404], answer);
}

function reasonOf(fault: object): string {
  const json: object = 'json' in fault ? Object(fault.json) : {};
  if ('message' in json && typeof json.message === 'string') return json.message;
  return 'message' in fault ? String(fault.message) : 'no reason given';
}
