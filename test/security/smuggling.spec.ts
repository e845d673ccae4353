import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expectContractError, type RawAnswer } from '../support/contract-answer.js';
import { valuesOf } from '../support/echo.js';
import { eventually } from '../support/eventually.js';
import {
  get,
  post,
  READ_IN_ONE_WAY,
  WITH_A_SURE_END,
  WITHOUT_A_SURE_END,
} from '../support/hostile-requests.js';
import { answersIn } from '../support/raw-answers.js';
import { RawClient } from '../support/raw-client.js';
import { RawCustomer, seenIn } from '../support/raw-customer.js';

/**
 * The threat: bytes that the gateway and another server divide into requests differently. What one takes for a body,
 * or for nothing, is a request of its own to the other, past every check (request smuggling, CWE-444).
 */
let customer: RawCustomer;

beforeAll(async () => {
  customer = await RawCustomer.start();
}, 30_000);

afterAll(() => customer[Symbol.asyncDispose]());

beforeEach(async () => {
  await customer.arrivals();
});

/** With the session's cookie as the first header: who is not signed in would reach no slice anyway. */
function signedIn(request: string): string {
  return request.replace('\r\n', `\r\n${customer.cookieLine}`);
}

/** The answers on a connection that carries this request, and behind it in the same packet an ordinary one. */
function answersTo(request: string): Promise<RawAnswer[]> {
  const next = get('/api/next', 'Host: a\r\nConnection: close\r\n');
  return customer.exchange(signedIn(request) + signedIn(next));
}

function options(target: string, line = ''): string {
  return get(target, `Host: a\r\n${line}`).replace('GET', 'OPTIONS');
}

function expectRefusal(answer: RawAnswer | undefined, status: number, code: string): void {
  if (answer === undefined) throw new Error('There was no answer.');
  expect(answer.status).toBe(status);
  expect(expectContractError(answer)).toBe(code);
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
}

describe('A request whose end is in doubt reaches no slice, nor does anything behind it', () => {
  it.each(WITHOUT_A_SURE_END)('%i %s: %s', async (status, code, _what, text) => {
    const answers = await answersTo(text);
    expectRefusal(answers[0], status, code);
    expect(answers).toHaveLength(1);
    expect(answers[0]?.headers.connection).toBe('close');
    expect(await customer.arrivals()).toEqual([]);
  });
});

describe('A request that means two things, or nothing, reaches no slice, and the next one gets its own answer', () => {
  it.each(WITH_A_SURE_END)('%i %s: %s', async (status, code, _what, text) => {
    const [refusal, next, ...more] = await answersTo(text);
    expectRefusal(refusal, status, code);
    expect(seenIn(next).url).toBe('/api/next');
    expect(more).toEqual([]);
    expect(await customer.arrivals()).toEqual(['GET /api/next']);
  });
});

describe('What can be read in one way only passes, and the next one gets its own answer', () => {
  it.each(READ_IN_ONE_WAY)('%s', async (_what, text, arrives) => {
    const [answer, next, ...more] = await answersTo(text);
    const seen = seenIn(answer);
    expect(`${seen.method} ${seen.url}`).toBe(arrives);
    expect(seenIn(next).url).toBe('/api/next');
    expect(more).toEqual([]);
    expect(await customer.arrivals()).toEqual([arrives, 'GET /api/next']);
  });
});

describe('A body that breaks its framing on the way', () => {
  it.each([
    ['by a chunk that is a request', 'GET /api/smuggled HTTP/1.1\r\n\r\n'],
    ['by bare LF', '2\nab\r\n0\r\n\r\n'],
    ['by a size beyond 64 bits', '10000000000000002\r\nab'],
  ])('%s is 400, and never a whole request to the slice', async (_how, rest) => {
    using client = await RawClient.connect(customer.port);
    client.write(signedIn(post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n')));
    await eventually(async () => expect(await customer.arrivals()).toEqual(['POST /api/x']));
    client.write(rest);
    await client.closed;
    const answers = answersIn(client.received);
    expectRefusal(answers[0], 400, 'BAD_REQUEST');
    expect(answers).toHaveLength(1);
    await eventually(async () =>
      expect(await customer.arrivals()).toEqual(['no request: HPE_INVALID_EOF_STATE']),
    );
  });
});

describe('A request whose end is in doubt, and that has arrived whole by the time it is looked at', () => {
  it.each([
    ['with a stack of codings', post('Transfer-Encoding: gzip, chunked\r\n', '2\r\nab\r\n0\r\n\r\n')],
    [
      'in chunks by HTTP/1.0',
      post('Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', 'HTTP/1.0'),
    ],
  ])('%s is the last of its connection', async (_what, text) => {
    const first = signedIn(get('/api/first'));
    const [answer, refusal, ...more] = await customer.exchange(
      first + signedIn(text) + signedIn(get('/api/next')),
    );
    expect(answer?.status).toBe(200);
    expectRefusal(refusal, 400, 'BAD_REQUEST');
    expect(more).toEqual([]);
    expect(await customer.arrivals()).toEqual(['GET /api/first']);
  });
});

describe('An upgrade to h2c', () => {
  const H2C =
    'Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

  it('is ignored, and unknown to the slice', async () => {
    const seen = seenIn((await answersTo(get('/api/x', H2C)))[0]);
    for (const name of ['connection', 'upgrade', 'http2-settings']) {
      expect(valuesOf(seen.rawHeaders, name).join()).not.toMatch(/h2c|upgrade|AAMA/i);
    }
  });

  it('keeps its body', async () => {
    const request = `POST /api/x HTTP/1.1\r\n${H2C}Content-Length: 4\r\n\r\nabcd`;
    expect(seenIn((await answersTo(request))[0]).body.bytes).toBe(4);
  });

  // Node pauses its parser at such a request, loses what else is in the packet, and goes on with the next one.
  it('turns no header of the request behind it into a request', async () => {
    using client = await RawClient.connect(customer.port);
    client.write(`${signedIn(get('/api/x', H2C))}GET /api/next HTTP/1.1\r\nHost: a\r\nX-A: `);
    await client.until('HTTP/1.1 200');
    client.write(signedIn(get('/api/smuggled')));
    client.socket.end();
    await client.closed;
    expect(answersIn(client.received)).toHaveLength(1);
    expect(await customer.arrivals()).toEqual(['GET /api/x']);
  });
});

describe('OPTIONS', () => {
  it.each([
    ['*', options('*')],
    ['a path, with no hop left', options('/api/x', 'Max-Forwards: 0\r\n')],
    ['a path, with no hop left in two digits', options('/api/x', 'Max-Forwards: 00\r\n')],
    ['a host, without a path', options('http://a')],
  ])('of %s is answered by the gateway itself', async (_what, request) => {
    const [own, next] = await answersTo(request);
    expect(own?.status).toBe(204);
    expect(own?.headers['allow']).toContain('OPTIONS');
    expect(seenIn(next).url).toBe('/api/next');
    expect(await customer.arrivals()).toEqual(['GET /api/next']);
  });

  it.each([
    ['3', '2'],
    ['03', '2'],
    ['9'.repeat(40), '1000000'],
    ['many', 'many'],
  ])('counts the hops that are left: of %s, %s', async (given, left) => {
    const [answer] = await answersTo(options('/api/x', `Max-Forwards: ${given}\r\n`));
    expect(valuesOf(seenIn(answer).rawHeaders, 'max-forwards')).toEqual([left]);
  });

  it('alone counts them: the hops of another method are the upstream’s to see', async () => {
    const [answer] = await answersTo(get('/api/x', 'Host: a\r\nMax-Forwards: 3\r\n'));
    expect(valuesOf(seenIn(answer).rawHeaders, 'max-forwards')).toEqual(['3']);
  });
});

describe('HTTP/1.0', () => {
  it('knows no upgrade, not even to WebSocket', async () => {
    const lines = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    const [answer] = await customer.exchange(signedIn(get('/api/x', lines).replace('1.1', '1.0')));
    expect(valuesOf(seenIn(answer).rawHeaders, 'upgrade')).toEqual([]);
    expect(await customer.arrivals()).toEqual(['GET /api/x']);
  });

  it('needs no Host', async () => {
    const [answer] = await customer.exchange(signedIn('GET /api/x HTTP/1.0\r\n\r\n'));
    expect(seenIn(answer).url).toBe('/api/x');
  });

  it('may name the host in its target alone, and the slice is told', async () => {
    const text = 'GET http://a:8080/api/x HTTP/1.0\r\n\r\n';
    const [answer] = await customer.exchange(signedIn(text));
    const { rawHeaders } = seenIn(answer);
    expect(valuesOf(rawHeaders, 'host')).toEqual(['a:8080']);
    expect(valuesOf(rawHeaders, 'x-forwarded-host')).toEqual(['a:8080']);
  });
});

describe('Behind a request that is still being answered', () => {
  const UPGRADE = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';

  it.each([
    ['a good one', get('/api/x')],
    ['a refused one', get('/api/x', '')],
  ])('(%s) an upgrade is cut, so that no frame gets into the earlier answer', async (_which, request) => {
    const received = await RawClient.exchange(
      customer.port,
      signedIn(request) + signedIn(get('/api/live', UPGRADE)),
    );
    expect(received).not.toContain('101 Switching');
    expect(await customer.arrivals()).not.toContain('upgrade /api/live');
  });
});
