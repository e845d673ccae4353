import { Injectable } from '@nestjs/common';
import { CoreError, ErrorTranslator, type DomainError } from '#common';
import { isDatabaseUnavailable } from './errors.js';

/** A lost database is nobody's defect: the caller is told to come back. */
@Injectable()
export class DatabaseErrorTranslator extends ErrorTranslator {
  override translate(error: unknown): DomainError | null {
    if (!isDatabaseUnavailable(error)) return null;
    return new CoreError(
      'DATABASE_UNAVAILABLE',
      'The database can not be reached. Please try again in a moment.',
      {
        cause: error,
        retryAfterSeconds: 1,
      },
    );
  }
}
