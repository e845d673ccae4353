import type { DomainError } from './domain-error.js';

/**
 * Port: turns an error of a library below (a lost database connection, say) into what the caller is told. Declared
 * here because the one filter lives here; provided by the library that knows those errors.
 */
export abstract class ErrorTranslator {
  /** The domain error to answer with, or null when this error is none of the translator's. */
  abstract translate(error: unknown): DomainError | null;
}
