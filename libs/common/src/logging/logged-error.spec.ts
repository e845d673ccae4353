import { describe, expect, it } from '@jest/globals';
import { stdSerializers } from 'pino';
import { loggedError } from './logged-error.js';

/** As pino hands it over. */
const logged = (error: unknown) => loggedError(stdSerializers.err(error as Error));

describe('an error in the log', () => {
  it('is what it is called, says, and where it was thrown, with its causes', () => {
    const error = new TypeError('no slice', {
      cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    });
    expect(logged(error)).toEqual({
      type: 'TypeError',
      message: 'no slice: refused',
      stack: expect.stringMatching(/^TypeError: no slice\n[^]+caused by: Error: refused\n/),
    });
  });

  it('has its code', () => {
    expect(logged(Object.assign(new Error('x'), { code: '23505' }))).toMatchObject({ code: '23505' });
  });

  it('has nothing else that it carries, at any depth', () => {
    const driverError = Object.assign(new Error('violates'), { detail: 'Failing row contains (s3cret)' });
    const error = Object.assign(new Error('query failed', { cause: driverError }), {
      driverError,
      query: 'INSERT',
      parameters: ['s3cret'],
      config: { headers: { authorization: 's3cret' } },
    });
    expect(JSON.stringify(logged(new AggregateError([error, error], 'all failed')))).not.toContain('s3cret');
  });

  it('has each error of a host with several addresses', () => {
    const error = new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]);
    expect(logged(error)).toMatchObject({
      type: 'AggregateError',
      errors: [{ message: '::1 refused' }, { message: '127.0.0.1 refused' }],
    });
  });

  it.each([['text'], [undefined], [null], [42]])('may be no error at all: %j', (thrown) => {
    expect(logged(thrown)).toEqual({ type: typeof thrown, message: String(thrown) });
  });
});
