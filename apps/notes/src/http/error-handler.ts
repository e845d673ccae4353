import type { NextFunction, Request, Response } from 'express';
import { log } from '../log.ts';
import { HttpError } from './http-error.ts';

/** Answers every error as JSON. What is not meant for the caller is logged, and shown as a bare 500. */
export function errorHandler(error: unknown, request: Request, response: Response, next: NextFunction): void {
  // The caller has left in the middle: there is nobody to answer, and nothing of ours has failed.
  if (request.socket.destroyed) return;
  const known = toHttpError(error);
  if (known.status >= 500) {
    log('error', 'request.failed', {
      method: request.method,
      path: request.path,
      code: known.code,
      error: known.cause ?? known.message,
    });
  }
  if (response.headersSent) {
    // Too late for an answer: Express cuts the connection, so that the caller sees the body is not whole.
    next(error);
    return;
  }
  // What was set for the answer that failed does not describe this one.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.status(known.status).set(known.headers).json({
    error: known.code.toLowerCase(),
    code: known.code,
    message: known.message,
    status: known.status,
    details: known.details,
  });
}

function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (isHttpErrorsError(error) && error.status >= 400 && error.status < 500) return translate(error);
  return new HttpError(500, 'INTERNAL_ERROR', 'Something went wrong', { cause: error });
}

/** The shape of the package http-errors, by which Express and its middleware report faults of the request. */
interface HttpErrorsError extends Error {
  status: number;
  type?: unknown;
  headers?: Record<string, string>;
}

function isHttpErrorsError(error: unknown): error is HttpErrorsError {
  return error instanceof Error && 'status' in error && typeof error.status === 'number';
}

function translate(error: HttpErrorsError): HttpError {
  switch (error.status) {
    case 400:
      return error.type === 'entity.parse.failed'
        ? new HttpError(400, 'INVALID_JSON', 'The body is not JSON')
        : new HttpError(400, 'BAD_REQUEST', 'The request is malformed');
    case 404:
      return new HttpError(404, 'NOT_FOUND', 'Not found');
    case 413:
      return new HttpError(413, 'BODY_TOO_LARGE', 'The body is larger than 1 MB');
    case 415:
      return new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', 'The body is in an unsupported encoding');
    case 416:
      return new HttpError(416, 'RANGE_NOT_SATISFIABLE', 'The range lies outside the file', {
        headers: error.headers,
      });
    default:
      return new HttpError(error.status, 'BAD_REQUEST', 'The request cannot be served');
  }
}
