import { describe, expect, it } from '@jest/globals';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient } from '../../support/raw-client.js';
import { StubUpstream } from '../../support/stub-upstream.js';

const GET_AND_CLOSE = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');

/** A body as latin1, in one piece with its headers. */
function answer(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function bodyOf(response: string): string {
  return response.slice(response.indexOf('\r\n\r\n') + 4);
}

describe('An answer that arrives whole', () => {
  it.each([1, 16, 32, 33, 1024])('keeps every byte of a body of 256 × %d', async (repeated) => {
    const body = EVERY_BYTE.repeat(repeated);
    await using upstream = await StubUpstream.start(answer(body));
    await using proxy = await ProxyHarness.start(upstream);
    const response = await RawClient.exchange(proxy.port, GET_AND_CLOSE);
    expect(bodyOf(response) === body).toBe(true);
    expect(await proxy.outcome()).toBeNull();
  });

  it('reaches the client in one piece with its headers', async () => {
    await using upstream = await StubUpstream.start(answer('ok'));
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    const pieces: string[] = [];
    client.socket.on('data', (piece) => pieces.push(piece.toString('latin1')));
    client.write(GET_AND_CLOSE);
    await client.closed;
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toMatch(/\r\n\r\nok$/);
  });

  it('leaves the connection fit for the next request', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      for (const body of ['one', 'two']) {
        await connection.until(`/${body}`);
        connection.write(answer(body));
      }
    });
    await using proxy = await ProxyHarness.start(upstream);
    using client = await RawClient.connect(proxy.port);
    for (const body of ['one', 'two']) {
      client.write(`GET /${body} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(await client.until(`\r\n\r\n${body}`)).toContain('HTTP/1.1 200 OK');
    }
  });
});
