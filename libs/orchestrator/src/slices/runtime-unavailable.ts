import { OrchestratorError } from '#common';
import { RuntimeUnavailableError } from '../runtimes/errors.js';

/**
 * Waits for what needs the runtime, on behalf of somebody who called us.
 * @throws OrchestratorError RUNTIME_UNAVAILABLE when no engine answers; any other error stays as it is
 */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RuntimeUnavailableError)) throw error;
    throw new OrchestratorError(
      'RUNTIME_UNAVAILABLE',
      "Slices can't be started or looked at just now; try again later.",
      { cause: error, retryAfterSeconds: 10 },
    );
  }
}
