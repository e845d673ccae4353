import { HttpException } from '@nestjs/common';
import { CoreError, DomainError } from './domain-error.js';
import { internalError } from './error-body.js';
import type { ErrorTranslator } from './error-translator.js';
import { validationFailed } from './validation.js';

/**
 * Any thrown value as the error to answer with. What is neither ours nor a known fault of a library is a defect and
 * becomes INTERNAL_ERROR, with the thrown value as its cause for the log.
 */
export function toDomainError(thrown: unknown, translator?: ErrorTranslator): DomainError {
  if (thrown instanceof DomainError) return thrown;
  if (thrown instanceof HttpException) return fromHttpException(thrown);
  return translator?.translate(thrown) ?? internalError(thrown);
}

function fromHttpException(exception: HttpException): DomainError {
  const options = { cause: exception.cause ?? exception };
  switch (exception.getStatus()) {
    case 400:
      return fromBadRequest(exception);
    case 404:
      return new CoreError(
        'NOT_FOUND',
        'There is nothing at this path. Check the method and the path.',
        options,
      );
    case 413:
      return new CoreError('BODY_TOO_LARGE', 'The body is too large. Send 100 KB at the most.', options);
    case 415:
      return new CoreError(
        'UNSUPPORTED_MEDIA_TYPE',
        'Send the body as application/json or as a urlencoded form.',
        options,
      );
    case 429:
      return new CoreError('RATE_LIMITED', 'Too many requests. Slow down and try again later.', options);
    default:
      return internalError(exception);
  }
}

/** Express can't decode a path, body-parser can't read a body; what is left are the pipes of Nest itself. */
function fromBadRequest({ cause }: HttpException): DomainError {
  if (cause instanceof URIError) {
    return validationFailed([{ path: 'url', message: 'has a faulty percent-encoding' }]);
  }
  if (isHttpError(cause)) {
    return new CoreError(
      'INVALID_JSON',
      'The body is not well-formed. Send valid JSON (or a urlencoded form).',
      { cause },
    );
  }
  return validationFailed([{ path: '', message: 'is not valid' }]);
}

/** Told by its shape: an error that body-parser made has a status, whatever went wrong below (JSON, gzip). */
function isHttpError(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'statusCode' in cause;
}
