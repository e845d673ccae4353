import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { CoreError } from './domain-error.js';
import { ErrorTranslator } from './error-translator.js';
import { toDomainError } from './to-domain-error.js';

/** As body-parser throws them (http-errors). */
const malformed = Object.assign(new SyntaxError('Unexpected token'), { statusCode: 400, status: 400 });

describe('a thrown value', () => {
  it('that is a domain error stays what it is', () => {
    const error = new CoreError('CONFLICT', 'There is one already.');
    expect(toDomainError(error)).toBe(error);
  });

  it.each([
    ['a body that can not be read', new BadRequestException('x', { cause: malformed }), 'INVALID_JSON'],
    [
      'a path that can not be decoded',
      new BadRequestException('x', { cause: new URIError() }),
      'VALIDATION_FAILED',
    ],
    ["a pipe of Nest's own", new BadRequestException('x'), 'VALIDATION_FAILED'],
    ['no route', new NotFoundException(), 'NOT_FOUND'],
    ['a large body', new HttpException('x', 413), 'BODY_TOO_LARGE'],
    ['an unknown type', new HttpException('x', 415), 'UNSUPPORTED_MEDIA_TYPE'],
    ['too many requests', new HttpException('x', 429), 'RATE_LIMITED'],
    ['a status nobody thought of', new HttpException('x', 418), 'INTERNAL_ERROR'],
    ['a defect', new TypeError('x is undefined'), 'INTERNAL_ERROR'],
    ['no error at all', 'text', 'INTERNAL_ERROR'],
    ['nothing', undefined, 'INTERNAL_ERROR'],
  ])('%s is told by its code', (_, thrown, code) => {
    const error = toDomainError(thrown);
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/^x|undefined|text/);
    if (code === 'VALIDATION_FAILED') expect(error.details?.length).toBe(1);
  });

  it('that is a defect keeps it as its cause, for the log', () => {
    const defect = new TypeError('x is undefined');
    expect(toDomainError(defect).cause).toBe(defect);
  });

  it('that a library below knows is told in its words', () => {
    class Translator extends ErrorTranslator {
      override translate(error: unknown): CoreError | null {
        return error === 'down' ? new CoreError('DATABASE_UNAVAILABLE', 'Later.') : null;
      }
    }
    expect(toDomainError('down', new Translator()).code).toBe('DATABASE_UNAVAILABLE');
    expect(toDomainError('up', new Translator()).code).toBe('INTERNAL_ERROR');
  });
});
