import { afterAll, beforeEach, beforeAll, describe, expect, it } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { ProxyError } from '#common';
import { quietLogger } from '../../../../test/support/quiet-logger.js';
import { TestClock } from '../../../../test/support/test-clock.js';
import { ForwardedWarning } from './forwarded-warning.js';
import { UpstreamFailureLog } from './upstream-failure-log.js';

const lines: unknown[] = [];

beforeAll(() => Logger.overrideLogger({ ...quietLogger, warn: (line: unknown) => lines.push(line) }));
beforeEach(() => {
  lines.length = 0;
});
afterAll(() => Logger.overrideLogger(true));

function request(headers: Record<string, string> = {}): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  Object.assign(req.headers, headers);
  req.url = '/somebodys/path?q=secret';
  return req;
}

describe('a slice that fails', () => {
  const origin = 'http://127.0.0.1:1';
  const broken = new ProxyError('BAD_GATEWAY', 'shown', { cause: new Error('connect ECONNREFUSED') });

  it('is told of once a second, by its origin and the cause alone', () => {
    const clock = new TestClock();
    const log = new UpstreamFailureLog(clock);
    for (let i = 0; i < 3; i++) log.record(request(), origin, broken);
    expect(lines).toEqual([
      { code: 'BAD_GATEWAY', origin, reqId: expect.any(String), reason: 'connect ECONNREFUSED' },
    ]);
    clock.advance(1000);
    log.record(request(), origin, broken);
    expect(lines).toHaveLength(2);
  });

  it('is not confused with a client that does', () => {
    const log = new UpstreamFailureLog(new TestClock());
    log.record(request(), origin, null);
    log.record(request(), origin, new ProxyError('CLIENT_CLOSED_REQUEST', 'gone'));
    expect(lines).toEqual([]);
  });
});

it('a proxy that is not trusted is told of once', () => {
  const warning = new ForwardedWarning();
  warning.observe(request());
  expect(lines).toEqual([]);
  for (let i = 0; i < 3; i++) warning.observe(request({ 'x-forwarded-for': '203.0.113.7' }));
  expect(lines).toHaveLength(1);
});
