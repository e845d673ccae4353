import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { ProxyHarness } from '../../support/proxy-harness.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { beginUpgrade, poolOf, SWITCHING, upgradeOf } from '../../support/raw-upgrades.js';
import { StubUpstream } from '../../support/stub-upstream.js';

async function open(proxy: ProxyHarness, path: string): Promise<RawClient> {
  const client = await beginUpgrade(proxy.port, path);
  expect(statusOf(await client.until('\r\n\r\n'))).toBe(101);
  return client;
}

describe('The WebSockets of everybody together', () => {
  it.each([
    ['slice', 'SLICE_BUSY', { maxSocketsPerSlice: 2 }],
    ['route', 'UPSTREAM_BUSY', { maxSocketsPerRoute: 2 }],
  ])('are as many as a %s may have, and more are 503 %s', async (kind, code, bounds) => {
    await using upstream = await StubUpstream.start(SWITCHING);
    const lane = kind === 'route' ? { lane: poolOf(upstream.port).lane } : {};
    await using proxy = await ProxyHarness.start(upstream, { ...bounds, ...lane });
    using first = await open(proxy, '/full');
    using second = await open(proxy, '/full');
    using other = await open(proxy, '/another');
    for (let i = 0; i < 2; i++) {
      using refused = await beginUpgrade(proxy.port, '/full');
      const head = await refused.until('\r\n\r\n');
      expect(statusOf(head)).toBe(503);
      expect(head).toMatch(/\r\nretry-after: 10\r\n/i);
      expect(await refused.until('}')).toContain(`"${code}"`);
    }
    first.socket.destroy();
    await eventually(async () => expect(proxy.live.countLeadingTo('/full')).toBe(1));
    using third = await open(proxy, '/full');
    expect([second, other, third].map(({ socket }) => socket.closed)).toEqual([false, false, false]);
  });

  it('are given back once each, however they end', async () => {
    await using upstream = await StubUpstream.start(async (connection) => {
      const head = await connection.head();
      if (head.startsWith('GET /open')) connection.write(SWITCHING);
      else if (head.startsWith('GET /no'))
        connection.socket.end('HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n');
      else connection.socket.destroy();
    });
    await using proxy = await ProxyHarness.start(upstream);
    using kept = await open(proxy, '/open');
    using reset = await open(proxy, '/open');
    using ended = await open(proxy, '/open');
    for (const path of ['/no', '/broken']) await RawClient.exchange(proxy.port, upgradeOf(path));
    reset.socket.resetAndDestroy();
    ended.socket.end();
    const counts = (): number[] => ['/open', '/no', '/broken'].map((path) => proxy.live.countLeadingTo(path));
    await eventually(async () => expect(counts()).toEqual([1, 0, 0]));
    expect(proxy.live.countOf('user-1')).toBe(1);
    kept.socket.destroy();
    await eventually(async () => expect(proxy.live.countOf('user-1')).toBe(0));
    expect(counts()).toEqual([0, 0, 0]);
  });

  it('count from the beginning of the handshake', async () => {
    await using upstream = await StubUpstream.start(() => undefined);
    await using proxy = await ProxyHarness.start(upstream, { maxSocketsPerSlice: 1 });
    using pending = await beginUpgrade(proxy.port, '/x');
    await (await upstream.connection()).head();
    expect(statusOf(await RawClient.exchange(proxy.port, upgradeOf('/x')))).toBe(503);
    pending.socket.end();
    await pending.closed;
    using next = await beginUpgrade(proxy.port, '/x');
    await eventually(async () => expect(upstream.connections).toHaveLength(2));
    expect(next.received).toBe('');
  });
});
