import { describe, expect, it } from '@jest/globals';
import * as value from './values.js';

const MEBIBYTE = 1024 ** 2;

describe('an amount of memory', () => {
  it.each([
    ['8388608', 8 * MEBIBYTE],
    ['8388608b', 8 * MEBIBYTE],
    ['8192k', 8 * MEBIBYTE],
    ['256m', 256 * MEBIBYTE],
    ['256M', 256 * MEBIBYTE],
    ['256mb', 256 * MEBIBYTE],
    [' 1 g ', 1024 * MEBIBYTE],
  ])('%j is counted in powers of 1024, as Docker does', (text, bytes) => {
    expect(value.bytes.parse(text)).toBe(bytes);
  });

  it.each(['', 'm', '-1m', '1.5g', '1t', '256 megabytes', '1m2', '0x10', '5m', '99999999999g'])(
    '%j is none, or none that a slice could live on',
    (text) => {
      expect(value.bytes.safeParse(text).success).toBe(false);
    },
  );
});

describe('a whole number', () => {
  it.each(['', ' 5', '5.0', '1e3', '0x10', '-1', '+1', '5 ', '١', 'Infinity'])('is not %j', (text) => {
    expect(value.integer(0, 10_000).safeParse(text).success).toBe(false);
  });

  it('lies within its bounds, both of them included', () => {
    const port = value.integer(1, 65_535);
    expect(['0', '1', '65535', '65536'].map((text) => port.safeParse(text).success)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('a sender', () => {
  it.each(['noreply@example.com', 'Sluice <noreply@example.com>', 'Grüße <a@b>'])('may be %j', (text) => {
    expect(value.mailbox.parse(text)).toBe(text);
  });

  it.each(['', 'Sluice', 'Sluice <noreply>', 'a@b, c@d', 'Sluice <a@b>\r\nBcc: c@d', 'a b@c', 'x <a@b> y'])(
    'is not %j',
    (text) => {
      expect(value.mailbox.safeParse(text).success).toBe(false);
    },
  );
});

describe('the network that the slices’ networks are cut from', () => {
  it.each(['10.213.0.0/16', '172.30.0.0/24', '192.168.7.16/28', '100.64.0.0/10', '10.0.0.0/8'])(
    'may be %s',
    (text) => {
      expect(value.subnetPool.parse(text)).toBe(text);
    },
  );

  it.each([
    ['10.213.0.0', 'an IPv4 network'],
    ['10.213/16', 'an IPv4 network'],
    ['0x0a.213.0.0/16', 'an IPv4 network'],
    ['10.213.0.0/33', 'an IPv4 network'],
    ['fd00::/64', 'an IPv4 network'],
    ['10.213.0.0/16,10.214.0.0/16', 'an IPv4 network'],
    ['10.213.0.0/29', 'room for one slice'],
    ['10.213.0.1/16', 'begin where the network does: 10.213.0.0/16'],
    ['127.0.0.0/16', 'containers can use'],
    ['169.254.0.0/16', 'containers can use'],
    ['224.0.0.0/8', 'containers can use'],
    ['0.0.0.0/0', 'containers can use'],
  ])('is not %s', (text, reason) => {
    expect(value.subnetPool.safeParse(text).error?.issues).toEqual([
      expect.objectContaining({ message: expect.stringContaining(reason) }),
    ]);
  });
});

describe('an origin', () => {
  it.each(['https://app.example.com', 'http://localhost:5173', 'http://[::1]:3000'])('is %s', (text) => {
    expect(value.origin.safeParse(text).success).toBe(true);
  });

  it.each([
    'https://app.example.com/',
    'https://app.example.com/x',
    'app.example.com',
    '*',
    'null',
    'ftp://a',
    '',
  ])('is not %j', (text) => {
    expect(value.origin.safeParse(text).success).toBe(false);
  });
});

describe('the variables of every slice', () => {
  it('are strings in a JSON object', () => {
    expect(value.jsonEnvironment.parse('{"A_1":"b","_c":""}')).toEqual({ A_1: 'b', _c: '' });
  });

  it.each(['{', '[]', '"A"', 'null', '{"A":1}', '{"A":{"B":"c"}}', '{"1A":"b"}', '{"A B":"c"}', '{"":"c"}'])(
    'are not %s',
    (text) => {
      expect(value.jsonEnvironment.safeParse(text).success).toBe(false);
    },
  );
});

describe('a range of ports', () => {
  it.each(['5001', '5001-', '6000-5000', '80-90', '5001-70000', '5001 - 5002', '-1-5'])(
    'is not %j',
    (text) => {
      expect(value.portRange.safeParse(text).success).toBe(false);
    },
  );

  it('may be one port', () => {
    expect(value.portRange.parse('5001-5001')).toEqual({ from: 5001, to: 5001 });
  });
});

describe('a list of networks', () => {
  it('names the entry that is none', () => {
    expect(value.networkList.safeParse('10.0.0.0/8, zzz').error?.issues[0]?.message).toBe(
      'has a faulty entry: zzz is neither an IP address nor a network such as 10.0.0.0/8',
    );
  });
});
