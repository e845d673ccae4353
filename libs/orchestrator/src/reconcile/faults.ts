import { DomainError, OrchestratorError, type OrchestratorErrorCode } from '#common';
import { isDatabaseUnavailable, type Slice } from '#database';
import {
  ForeignResourceError,
  PortTakenError,
  RuntimeUnavailableError,
  StartFailedError,
} from '../runtimes/errors.js';

/** Something newer is desired of the slice than what a pass set out to do. */
export class SupersededError extends Error {
  constructor(sliceId: number) {
    super(`slice ${sliceId} is desired differently by now`);
    this.name = 'SupersededError';
  }
}

const RETRY_AFTER_SECONDS = 10;

/** Why a pass could not be finished. Its message is for the operator, and holds no secret. */
export class ReconcileFault extends Error {
  constructor(
    readonly code: OrchestratorErrorCode,
    message: string,
    /** It may go by itself: the pass is tried again, and the slice is not called failed. */
    readonly transient: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ReconcileFault';
  }

  toError(): OrchestratorError {
    // What may go by itself is worth another request.
    const retry = this.transient ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {};
    return new OrchestratorError(this.code, this.message, { cause: this.cause, ...retry });
  }
}

/** Sorts what a pass stumbled over. What is not known is taken for transient: nothing is given up for a defect of ours. */
export function faultOf(error: unknown, slice: Slice): ReconcileFault {
  const options = { cause: error };
  const code = slice.desiredState === 'absent' ? 'SLICE_DESTROY_FAILED' : 'SLICE_PROVISIONING_FAILED';
  if (error instanceof ReconcileFault) return error;
  if (error instanceof StartFailedError || error instanceof ForeignResourceError) {
    return new ReconcileFault(code, error.message, slice.desiredState !== 'running', options);
  }
  if (error instanceof RuntimeUnavailableError) {
    return new ReconcileFault('RUNTIME_UNAVAILABLE', `${error.message}; it is tried again`, true, options);
  }
  if (error instanceof PortTakenError) {
    return new ReconcileFault(
      'NO_FREE_PORT',
      'The ports of SLICE_PORT_RANGE are used by other programs.',
      false,
      options,
    );
  }
  if (error instanceof DomainError && error.code === 'NO_FREE_PORT') {
    return new ReconcileFault('NO_FREE_PORT', error.message, false, options);
  }
  if (isDatabaseUnavailable(error)) {
    return new ReconcileFault(code, 'PostgreSQL did not answer; it is tried again', true, options);
  }
  return new ReconcileFault(
    code,
    "An unexpected error; it is in the gateway's log, and is tried again",
    true,
    options,
  );
}

/** The app gave up before it was ready. The exit code is shown, its log is not: that may hold the app's secrets. */
export function endedEarly(path: string, exitCode: number | undefined): ReconcileFault {
  const how = exitCode === undefined ? 'ended' : `ended with exit code ${exitCode}`;
  return new ReconcileFault(
    'SLICE_PROVISIONING_FAILED',
    `The app ${how} before it answered ${path} with 2xx; its log says why.`,
    false,
  );
}

/** The app runs, and is not ready in time. */
export function neverHealthy(path: string, timeoutMs: number): ReconcileFault {
  return new ReconcileFault(
    'SLICE_PROVISIONING_FAILED',
    `The app did not answer ${path} with 2xx within ${timeoutMs / 1000} s (SLICE_START_TIMEOUT).`,
    false,
  );
}
