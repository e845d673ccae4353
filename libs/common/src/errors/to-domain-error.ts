import { HttpException } from '@nestjs/common';
import { CoreError, DomainError } from './domain-error.js';
import { internalError } from './error-body.js';
import type { ErrorTranslator } from './error-translator.js';

/** `type` of the http-errors that body-parser throws (body-parser README, "Errors"). */
const MALFORMED_BODY = new Set(['entity.parse.failed', 'encoding.unsupported', 'charset.unsupported']);

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
      return MALFORMED_BODY.has(bodyParserType(exception.cause))
        ? new CoreError(
            'INVALID_JSON',
            'The body is not well-formed. Send valid JSON (or a urlencoded form).',
            options,
          )
        : new CoreError(
            'VALIDATION_FAILED',
            'The request is not valid. Check its path and its body.',
            options,
          );
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

function bodyParserType(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'type' in cause ? String(cause.type) : '';
}
