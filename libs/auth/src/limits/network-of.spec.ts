import { describe, expect, it } from '@jest/globals';
import { machineOf, networkOf } from './network-of.js';

describe('networkOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['203.0.113.255', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/56'],
    ['2001:db8:1:ff:ffff:ffff:ffff:ffff', '2001:db8:1::/56'],
    ['2001:db8:1:100::1', '2001:db8:1:100::/56'],
    ['fe80::1%eth0', 'fe80::/56'],
    ['0.0.0.0', '0.0.0.0/24'],
  ])('puts %s into %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});

describe('machineOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ])('takes %s for %s', (ip, machine) => {
    expect(machineOf(ip)).toBe(machine);
  });
});
