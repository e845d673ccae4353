import { describe, expect, it } from '@jest/globals';
import { freeSubnets } from './subnets.js';

describe('freeSubnets', () => {
  it('gives every subnet of the pool once, from the first one asked for', () => {
    expect([...freeSubnets('10.0.0.0/26', 28, [], 2)]).toEqual([
      '10.0.0.32/28',
      '10.0.0.48/28',
      '10.0.0.0/28',
      '10.0.0.16/28',
    ]);
    expect([...freeSubnets('10.213.0.0/16', 28, [], 4_096 + 1)][0]).toBe('10.213.0.16/28');
  });

  it('leaves out what overlaps a used network, larger or smaller', () => {
    const used = ['10.0.0.4/30', '10.0.0.32/27', '192.168.0.0/16', 'fd00::/64'];
    expect([...freeSubnets('10.0.0.0/26', 28, used, 0)]).toEqual(['10.0.0.16/28']);
    expect([...freeSubnets('10.0.0.0/26', 28, ['10.0.0.0/8'], 0)]).toEqual([]);
  });

  it('knows addresses above 127.255.255.255', () => {
    expect([...freeSubnets('198.18.255.224/27', 28, [], 0)]).toEqual([
      '198.18.255.224/28',
      '198.18.255.240/28',
    ]);
  });
});
