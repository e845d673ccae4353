import { describe, expect, it } from '@jest/globals';
import { AuthError, CoreError, ProxyError } from './domain-error.js';
import { errorBody, internalError } from './error-body.js';

const NOW = new Date('2026-01-02T03:04:05.678Z');

describe('the body of an error', () => {
  it('has the shape that every client knows', () => {
    expect(errorBody(new AuthError('EMAIL_TAKEN', 'Sign in instead.'), 'id-1', NOW)).toEqual({
      error: 'email_taken',
      code: 'EMAIL_TAKEN',
      message: 'Sign in instead.',
      status: 409,
      route: 'auth',
      requestId: 'id-1',
      timestamp: '2026-01-02T03:04:05.678Z',
    });
  });

  it('has details where a field is at fault', () => {
    const details = [{ path: 'env.PORT', message: 'must be a string' }];
    const error = new CoreError('VALIDATION_FAILED', 'Not valid.', { details });
    expect(errorBody(error, 'id', NOW).details).toEqual(details);
  });

  it('says what the older gateways said of an unknown path, an expired session and a broken upstream', () => {
    expect(errorBody(new AuthError('SESSION_EXPIRED', 'x'), 'id', NOW).error).toBe('Session expired');
    expect(errorBody(new CoreError('NOT_FOUND', 'x'), 'id', NOW).error).toBe('Not Found');
    expect(errorBody(new ProxyError('BAD_GATEWAY', 'x'), 'id', NOW).error).toBe('bad_gateway');
  });

  it('has no word of what happened below', () => {
    const cause = new Error('password authentication failed for user "sluice"');
    const text = JSON.stringify([
      errorBody(internalError(cause), 'id', NOW),
      errorBody(
        new CoreError('DATABASE_UNAVAILABLE', 'Try again.', { cause, retryAfterSeconds: 1 }),
        'id',
        NOW,
      ),
    ]);
    expect(text).not.toMatch(/password|stack|cause|error-body/);
  });
});
