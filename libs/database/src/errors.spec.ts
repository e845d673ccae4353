import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { once } from 'node:events';
import { DatabaseError } from 'pg';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { CoreError } from '#common';
import { isDatabaseUnavailable, isUniqueViolation } from './errors.js';

function databaseError(code: string, constraint?: string): DatabaseError {
  return Object.assign(new DatabaseError('a message that says nothing', 1, 'error'), { code, constraint });
}

describe('isDatabaseUnavailable', () => {
  it.each(['08000', '08006', '57P01', '57P02', '57P03', '53300'])('knows SQLSTATE %s', (code) => {
    expect(isDatabaseUnavailable(databaseError(code))).toBe(true);
  });

  it.each(['23505', '42601', '57014', '22P02'])(
    'does not take SQLSTATE %s, a fault of the statement, for it',
    (code) => {
      expect(isDatabaseUnavailable(databaseError(code))).toBe(false);
    },
  );

  it('knows what a socket says, which is of another realm than the tests', async () => {
    const socket = connect({ host: '127.0.0.1', port: 1 });
    const [refused]: unknown[] = await once(socket, 'error').catch((error: unknown) => [error]);

    expect(isDatabaseUnavailable(refused)).toBe(true);
  });

  it('knows what pg says without a code', () => {
    expect(isDatabaseUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true);
  });

  it('knows what TypeORM says once it gave a lost connection back', () => {
    expect(isDatabaseUnavailable(new QueryRunnerAlreadyReleasedError())).toBe(true);
  });

  it('looks through the errors of TypeORM, of a pool and of hosts with several addresses', () => {
    const cause = databaseError('57P01');

    expect(isDatabaseUnavailable(new QueryFailedError('SELECT 1', [], cause))).toBe(true);
    expect(isDatabaseUnavailable(new Error('outer', { cause: new Error('inner', { cause }) }))).toBe(true);
    expect(isDatabaseUnavailable(new AggregateError([new Error('other'), cause]))).toBe(true);
  });

  it('knows its own answer again', () => {
    expect(isDatabaseUnavailable(new CoreError('DATABASE_UNAVAILABLE', 'later'))).toBe(true);
    expect(isDatabaseUnavailable(new CoreError('CONFLICT', 'no'))).toBe(false);
  });

  it('ends on an error that is its own cause', () => {
    const error = new Error('round and round');
    error.cause = error;

    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  it.each([undefined, null, 'Connection terminated', 42])('takes %p for no such error', (thrown) => {
    expect(isDatabaseUnavailable(thrown)).toBe(false);
  });
});

describe('isUniqueViolation', () => {
  it('knows the constraint', () => {
    const error = new QueryFailedError('INSERT', [], databaseError('23505', 'user_email_key'));

    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'user_email_key')).toBe(true);
    expect(isUniqueViolation(error, 'slice_live_name')).toBe(false);
    expect(isUniqueViolation(databaseError('23503'), 'user_email_key')).toBe(false);
  });
});
