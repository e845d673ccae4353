import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ASSIGNED_SLICES, customerWith } from '../support/assigned-slices.js';
import { Gateway } from '../support/gateway.js';
import { RawClient, statusOf } from '../support/raw-client.js';
import { INCOMPLETE, takeAnswer } from '../support/strict-http.js';
import { StubUpstream, type StubConnection } from '../support/stub-upstream.js';

/**
 * The threat: an upstream whose answers break HTTP, by accident or on purpose, and two customers whose requests go over
 * the same connection to it. What one of them is told must never be part of what the other is told.
 */
const CLOSE = 'Connection: close\r\n';
const LEAK = 'LEAKED-TO-ANOTHER';
const EXTRA = `HTTP/1.1 200 OK\r\nX-Leak: ${LEAK}\r\nContent-Length: ${LEAK.length}\r\n\r\n${LEAK}`;

/** What the upstream says to Ada. To Bob it always answers in good order. */
const ANSWERS: readonly (readonly [what: string, answer: string, then?: 'end'])[] = [
  ['less than it promised', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'end'],
  ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'end'],
  ['half a header block', 'HTTP/1.1 200 OK\r\nContent-', 'end'],
  [
    'two Content-Lengths that differ',
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokX${EXTRA}`,
  ],
  [
    'two Content-Lengths that agree',
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok${EXTRA}`,
  ],
  ['a list of Content-Lengths', `HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok${EXTRA}`],
  [
    'both framings',
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EXTRA}`,
  ],
  ['Transfer-Encoding: foo', `HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nok${EXTRA}`],
  ['a stack of codings', `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${EXTRA}`],
  ['an unasked 101', `HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${EXTRA}`],
  ['an unasked 101 to nothing', `HTTP/1.1 101 x\r\n\r\n${EXTRA}`],
  ['an unasked 100', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${EXTRA}`],
  ['chunks in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${EXTRA}`],
  [
    '64 KB of headers',
    `HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(64 * 1024)}\r\nContent-Length: 0\r\n\r\n${EXTRA}`,
  ],
  ['obsolete folding', `HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok${EXTRA}`],
  ['a space before the colon', `HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok${EXTRA}`],
  ['bare LF', `HTTP/1.1 200 OK\nContent-Length: 2\n\nok${EXTRA}`],
  [
    'a chunk that is longer than it says',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n${EXTRA}`,
  ],
  [
    'a chunk size of 65 bits',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\nok\r\n0\r\n\r\n${EXTRA}`,
  ],
  ['an answer behind the answer', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${EXTRA}`],
  [
    'an answer behind the chunks',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${EXTRA}`,
  ],
  ['bytes behind the answer', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${LEAK}`],
  ['an answer behind a 204', `HTTP/1.1 204 No Content\r\n\r\n${EXTRA}`],
  ['a 204 with a body', `HTTP/1.1 204 No Content\r\nContent-Length: ${EXTRA.length}\r\n\r\n${EXTRA}`],
  [
    'a 304 with a body',
    `HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${EXTRA}`,
  ],
];

let upstream: StubUpstream;
let gateway: Gateway;
let port: number;
let ada: string;
let bob: string;
/** What Ada's next request is answered with. */
let toAda = '';
/** What comes over her connection once the next request is on it. */
let later = '';
let afterAda: 'end' | 'go on' = 'go on';

beforeAll(async () => {
  // Until its connection ends, as it does where the gateway drops it.
  upstream = await StubUpstream.start((connection) => serve(connection).catch(() => undefined));
  gateway = await Gateway.start(ASSIGNED_SLICES);
  port = Number(new URL(gateway.url).port);
  ada = (await customerWith(gateway, upstream)).browser.cookie;
  bob = (await customerWith(gateway, upstream)).browser.cookie;
}, 30_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function serve(connection: StubConnection): Promise<void> {
  let owed = '';
  for (;;) {
    const head = await connection.head();
    connection.received = connection.received.slice(head.length);
    const isAdas = head.includes('/api/ada');
    if (owed !== '') connection.write(owed);
    owed = isAdas ? later : '';
    connection.write(isAdas ? toAda : answerTo(/\/api\/\w+/.exec(head)?.[0] ?? ''));
    if (isAdas && afterAda === 'end') connection.socket.end();
  }
}

function answerTo(path: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`;
}

function request(path: string, cookie: string, more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n${more}\r\n`;
}

/** Asks on this connection, and gives all that came: a whole answer, or what there was of one before it was cut. */
async function ask(client: RawClient, path: string, cookie: string): Promise<string> {
  client.received = '';
  client.write(request(path, cookie));
  while (!client.socket.closed && takeAnswer(client.received, 'GET') === INCOMPLETE) {
    await Promise.race([once(client.socket, 'data'), client.closed]);
  }
  return client.received;
}

/** Bob’s own answer, whole, and nothing behind it. */
function expectBobs(received: string, path: string): void {
  expect(takeAnswer(received, 'GET')).toMatchObject({ status: 200, body: path, rest: '' });
}

describe('An upstream that says, to one of two customers who share it,', () => {
  it.each(ANSWERS)('%s, tells the other one nothing by it', async (...[, answer, then]) => {
    toAda = answer;
    afterAda = then ?? 'go on';
    using adas = await RawClient.connect(port);
    using bobs = await RawClient.connect(port);
    expectBobs(await ask(bobs, '/api/before', bob), '/api/before');
    const [told, meanwhile] = await Promise.all([ask(adas, '/api/ada', ada), ask(bobs, '/api/during', bob)]);
    // A bad gateway, an answer that is cut off, or the one that ended before the bytes too many.
    expect(told === '' || [200, 204, 304, 502].includes(statusOf(told))).toBe(true);
    expect(told).not.toContain(LEAK);
    expectBobs(meanwhile, '/api/during');
    expectBobs(await ask(bobs, '/api/after', bob), '/api/after');
    // Behind one load balancer they share the connection to the gateway as well.
    const both = await RawClient.exchange(port, request('/api/ada', ada) + request('/api/last', bob, CLOSE));
    expect(both).not.toContain(LEAK);
    if (both.includes('/api/last')) expect(both.endsWith('\r\n\r\n/api/last')).toBe(true);
    expectBobs(await ask(bobs, '/api/end', bob), '/api/end');
  });

  it.each([
    ['HEAD', `HTTP/1.1 200 OK\r\nContent-Length: ${EXTRA.length}\r\n\r\n`],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', `HTTP/1.1 204 No Content\r\nContent-Length: ${EXTRA.length}\r\n\r\n`],
    ['GET', `HTTP/1.1 304 Not Modified\r\nContent-Length: ${EXTRA.length}\r\n\r\n`],
  ])(
    '%s: the head of an answer without a body, and the body later, tells the other nothing',
    async (method, head) => {
      toAda = head;
      later = EXTRA;
      afterAda = 'go on';
      using adas = await RawClient.connect(port);
      using bobs = await RawClient.connect(port);
      adas.write(request('/api/ada', ada).replace('GET', method));
      await adas.until('\r\n\r\n');
      expectBobs(await ask(bobs, '/api/after', bob), '/api/after');
      later = '';
    },
  );

  it('something that nobody asked, loses that connection before the next request', async () => {
    toAda = answerTo('/api/ada');
    afterAda = 'go on';
    using adas = await RawClient.connect(port);
    using bobs = await RawClient.connect(port);
    await ask(adas, '/api/ada', ada);
    const open = upstream.connections.filter(({ socket }) => !socket.destroyed);
    expect(open.length).toBeGreaterThan(0);
    for (const connection of open) connection.write(EXTRA);
    await Promise.all(open.map(({ closed }) => closed));
    expectBobs(await ask(bobs, '/api/after', bob), '/api/after');
  });
});
