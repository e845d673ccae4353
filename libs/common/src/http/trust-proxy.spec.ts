import { describe, expect, it } from '@jest/globals';
import { clientIp, type FromPeer, TrustProxy } from './trust-proxy.js';

function from(remoteAddress: string | undefined, forwarded?: string): FromPeer {
  return {
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  };
}

const nobody = new TrustProxy([]);
const nginx = new TrustProxy(['10.0.0.0/8', '::1']);

describe('clientIp', () => {
  it('is the peer when nobody is trusted, whatever the caller claims', () => {
    expect(clientIp(from('203.0.113.7', '1.2.3.4'), nobody)).toBe('203.0.113.7');
  });

  it('takes a trusted peer at its word', () => {
    expect(clientIp(from('10.0.0.1', '203.0.113.7'), nginx)).toBe('203.0.113.7');
  });

  it('does not take an untrusted peer at its word', () => {
    expect(clientIp(from('203.0.113.7', '1.2.3.4'), nginx)).toBe('203.0.113.7');
  });

  it('stops at the first untrusted hop from the right, so a forged prefix is ignored', () => {
    expect(clientIp(from('10.0.0.1', '1.2.3.4, 203.0.113.7, 10.9.9.9'), nginx)).toBe('203.0.113.7');
  });

  it('ends at the leftmost hop when all are trusted', () => {
    expect(clientIp(from('10.0.0.1', '10.0.0.3, 10.0.0.2'), nginx)).toBe('10.0.0.3');
  });

  it.each(['unknown', '', '0x7f.1', '127.1', '1.2.3.4.5', '1.2.3.4; drop'])(
    'falls back to the proxy when the hop is no address: %j',
    (hop) => {
      expect(clientIp(from('10.0.0.1', hop), nginx)).toBe('10.0.0.1');
    },
  );

  it.each([
    ['203.0.113.7:4711', '203.0.113.7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:0DB8:0::7', '2001:db8::7'],
  ])('reads %s as %s', (hop, expected) => {
    expect(clientIp(from('10.0.0.1', hop), nginx)).toBe(expected);
  });

  it('shows an IPv4 client of a dual-stack socket as IPv4, and trusts it as such', () => {
    expect(clientIp(from('::ffff:203.0.113.7'), nobody)).toBe('203.0.113.7');
    expect(clientIp(from('::ffff:10.0.0.1', '203.0.113.7'), nginx)).toBe('203.0.113.7');
  });

  it('has an answer for a socket that is closed already', () => {
    expect(clientIp(from(undefined, '1.2.3.4'), nginx)).toBe('0.0.0.0');
  });
});

describe('TrustProxy', () => {
  it('tells IPv4 networks from IPv6 ones', () => {
    expect(nginx.trusts('::1')).toBe(true);
    expect(nginx.trusts('::2')).toBe(false);
    expect(nginx.trusts('11.0.0.1')).toBe(false);
  });

  it.each(['localhost', '10.0.0.0/33', '10.0.0', ''])('refuses %j', (entry) => {
    expect(() => new TrustProxy([entry])).toThrow(TypeError);
  });
});

describe('TrustProxy', () => {
  it('confuses nobody, however many ask, and again', () => {
    const addresses = Array.from(
      { length: 1000 },
      (_, i) => `${i % 3 === 0 ? 10 : 11}.0.${i >> 8}.${i & 255}`,
    );
    const twice = [...addresses, ...addresses];
    expect(twice.filter((address) => nginx.trusts(address))).toEqual(
      twice.filter((address) => address.startsWith('10.')),
    );
    expect(nginx.trusts('10.0.0.1')).toBe(true);
    expect(nobody.trusts('10.0.0.1')).toBe(false);
    expect([nginx.trusts('no address'), nginx.trusts('no address')]).toEqual([false, false]);
  });
});
