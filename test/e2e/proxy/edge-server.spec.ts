import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { assignRequestId, SystemClock } from '#common';
import { ConnectionLimits } from '../../../libs/proxy/src/http/connection-limits.js';
import { EdgeServer, type EdgeHandler } from '../../../libs/proxy/src/http/edge-server.js';
import { get } from '../../support/hostile-requests.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { portOf } from '../../support/stub-upstream.js';

const UNFINISHED = 'POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx';

/** Leaves everything to the application, but what is meant to break it. */
const edge: EdgeHandler = {
  request(req) {
    assignRequestId(req, false);
    if (req.url === '/broken') throw new Error('a defect of the edge');
    return false;
  },
  upgrade() {
    throw new Error('a defect at an upgrade');
  },
  drain: () => Promise.resolve(),
};

async function boot(app: RequestListener) {
  const errors: { readonly cause: unknown; readonly requestId: string }[] = [];
  const edgeServer = new EdgeServer(() => edge, app, {
    clock: new SystemClock(),
    limits: Object.assign(new ConnectionLimits(), { ownBodyMs: 50 }),
    onError: (cause, requestId) => errors.push({ cause, requestId }),
  });
  const { server } = edgeServer;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server), errors, [Symbol.asyncDispose]: () => edgeServer.close(0) };
}

describe('A body for the application that does not arrive', () => {
  it('is 408, and ends the connection', async () => {
    await using gateway = await boot((req) => req.resume());
    const answer = await RawClient.exchange(gateway.port, UNFINISHED);
    expect(statusOf(answer)).toBe(408);
    expect(answer).toContain('"REQUEST_TIMEOUT"');
    expect(answer).toMatch(/connection: close/i);
  });

  it('ends the connection too when it was answered long ago', async () => {
    await using gateway = await boot((_req, res) => res.end('no'));
    const answer = await RawClient.exchange(gateway.port, UNFINISHED);
    expect(statusOf(answer)).toBe(200);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it.each([
    ['bytes that are no chunk', 'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n', 'no chunk\r\n'],
    ['a broken trailer', 'Transfer-Encoding: chunked\r\n\r\n0\r\n', 'X-A: b\0\r\n\r\n'],
  ])('and turns into %s after its answer, gets no second one', async (_what, lines, rest) => {
    await using gateway = await boot((_req, res) => res.end('no'));
    using client = await RawClient.connect(gateway.port);
    client.write(`POST /own HTTP/1.1\r\nHost: a\r\n${lines}`);
    await client.until('\r\n\r\nno');
    client.write(rest);
    await client.closed;
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('is nobody’s fault once it is here, however long the answer takes', async () => {
    await using gateway = await boot((req, res) => {
      req.resume().on('end', () => setTimeout(() => res.end('done'), 100));
    });
    using client = await RawClient.connect(gateway.port);
    client.write('POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    expect(statusOf(await client.until('done'))).toBe(200);
  });
});

describe('Pipelined requests', () => {
  it('are taken one after the other, each when the one before is answered', async () => {
    const order: string[] = [];
    await using gateway = await boot((req, res) => {
      order.push(`${req.url} taken`);
      setImmediate(() => {
        order.push(`${req.url} answered`);
        res.end();
      });
    });
    const lines = 'HTTP/1.1\r\nHost: a\r\n';
    await RawClient.exchange(
      gateway.port,
      `POST /1 ${lines}Content-Length: 1\r\n\r\nxGET /2 ${lines}Connection: close\r\n\r\n`,
    );
    expect(order).toEqual(['/1 taken', '/1 answered', '/2 taken', '/2 answered']);
  });

  it('are no requests behind an answer that closes the connection', async () => {
    const taken: (string | undefined)[] = [];
    await using gateway = await boot((req, res) => {
      taken.push(req.url);
      res.setHeader('connection', 'close').end();
    });
    const answer = await RawClient.exchange(gateway.port, get('/1') + get('/2'));
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(taken).toEqual(['/1']);
  });
});

describe('What the edge throws', () => {
  it.each([
    ['a request', 'GET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['an upgrade', 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ])('at %s is reported under the id that the client is told', async (_what, request) => {
    await using gateway = await boot(() => undefined);
    const answer = await RawClient.exchange(gateway.port, request);
    expect(statusOf(answer)).toBe(500);
    expect(answer).not.toContain('defect');
    const [error] = gateway.errors;
    expect(String(error?.cause)).toContain('a defect');
    expect(answer).toContain(error?.requestId);
  });
});
