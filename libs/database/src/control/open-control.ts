import { setTimeout as wait } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { errorCode } from '#common';
import type { DatabaseServer } from '../database-server.js';
import { DataDirInUse } from '../embedded/data-dir-claim.js';
import { isDatabaseUnavailable } from '../errors.js';
import { ControlConnection } from './control-connection.js';
import { DataDirClaim } from './data-dir-claim.js';

const RETRY_MS = 500;
const WARN_EVERY_MS = 5000;

export interface OpenControlOptions {
  readonly logger: LoggerService;
  /** How long a server that does not answer is waited for. */
  readonly patienceMs: number;
  /** Ends the waiting, after the attempt that is under way (2 s at the most). */
  readonly stop: AbortSignal;
}

/**
 * Opens the control connection; with the embedded server it also makes sure that no other gateway uses it. A server
 * that does not answer is waited for: one may start together with the gateway.
 * @throws the reason of `stop`
 * @throws Error that says what to check, when a given server does not answer in time
 */
export async function openControl(
  server: Pick<DatabaseServer, 'connection' | 'isEmbedded' | 'leave'>,
  { logger, patienceMs, stop }: OpenControlOptions,
): Promise<ControlConnection> {
  const { connection, isEmbedded } = server;
  const address = `${connection.host}:${connection.port}`;
  const claim = isEmbedded ? new DataDirClaim((error) => server.leave(error)) : null;
  const deadline = Date.now() + patienceMs;
  for (let nextWarning = 0; ;) {
    stop.throwIfAborted();
    const control = new ControlConnection({ connection, logger, claim });
    try {
      await control.start();
      return control;
    } catch (error) {
      await control.stop();
      if (error instanceof DataDirInUse) server.leave(error);
      if (!isDatabaseUnavailable(error)) throw error;
      if (Date.now() > deadline) throw isEmbedded ? error : unanswered(address, error);
      if (Date.now() >= nextWarning) {
        logger.warn(`PostgreSQL at ${address} does not answer yet`);
        nextWarning = Date.now() + WARN_EVERY_MS;
      }
      await wait(RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

function unanswered(address: string, cause: unknown): Error {
  const why = errorCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  const check = 'Check that it runs, and that DATABASE_URL, or DB_HOST and DB_PORT, say where it is.';
  return new Error(`PostgreSQL at ${address} does not answer (${why}). ${check}`, { cause });
}
