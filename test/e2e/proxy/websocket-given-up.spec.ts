import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '../../support/eventually.js';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { beginUpgrade, poolOf, upgradeOf } from '../../support/raw-upgrades.js';
import { StubUpstream } from '../../support/stub-upstream.js';

// The pool tells of a backend that it leaves out.
Logger.overrideLogger(false);

describe('The handshake of a WebSocket', () => {
  it.each([
    ['resets its connection', (client: RawClient) => client.socket.resetAndDestroy()],
    ['ends its side of the connection', (client: RawClient) => client.socket.end()],
  ])('is given up at once, to nobody’s blame, when the client %s before the answer', async (_how, leave) => {
    await using upstream = await StubUpstream.start(() => undefined);
    const { pool, lane } = poolOf(upstream.port, 'http://127.0.0.2:9');
    await using proxy = await ProxyHarness.start(upstream, { lane });
    for (let i = 0; i < 4; i++) {
      using client = await beginUpgrade(proxy.port, '/x');
      await eventually(async () => expect(upstream.connections).toHaveLength(i + 1), 2000);
      const connection = upstream.connections[i];
      await connection?.head();
      leave(client);
      await Promise.all([connection?.closed, client.closed]);
    }
    await eventually(async () => expect(proxy.live.size).toBe(0));
    expect(proxy.outcomes).toEqual(Array.from({ length: 4 }, () => 'CLIENT_CLOSED_REQUEST'));
    expect(pool.healthyCount).toBe(2);
  });

  it('that the upstream breaks off is its failure, and takes it out of the pool the third time', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      await connection.head();
      connection.socket.resetAndDestroy();
    });
    const { pool, lane } = poolOf(upstream.port, 'http://127.0.0.2:9');
    await using proxy = await ProxyHarness.start(upstream, { lane });
    for (const healthy of [2, 2, 1]) {
      expect(statusOf(await RawClient.exchange(proxy.port, upgradeOf('/x')))).toBe(502);
      expect(pool.healthyCount).toBe(healthy);
    }
  });
});
