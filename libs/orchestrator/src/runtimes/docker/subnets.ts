import ipaddr from 'ipaddr.js';

/**
 * The subnets of `pool` that overlap none of `used`, beginning with number `first` (modulo their count) and going
 * round once.
 * @param pool IPv4, `10.213.0.0/16`
 * @param used IPv4 networks; others are not looked at
 * @param length the prefix length of what is given
 */
export function* freeSubnets(
  pool: string,
  length: number,
  used: readonly string[],
  first: number,
): Generator<string> {
  const range = rangeOf(pool);
  const size = 2 ** (32 - length);
  const count = Math.floor((range.end - range.start) / size);
  const taken = used.filter((cidr) => ipaddr.IPv4.isValidCIDR(cidr)).map(rangeOf);
  for (let i = 0; i < count; i += 1) {
    const start = range.start + ((first + i) % count) * size;
    const isFree = taken.every((other) => other.end <= start || other.start >= start + size);
    if (isFree) yield `${dotted(start)}/${length}`;
  }
}

/** Half open, as numbers. */
function rangeOf(cidr: string): { start: number; end: number } {
  const [, length] = ipaddr.IPv4.parseCIDR(cidr);
  const start = ipaddr.IPv4.networkAddressFromCIDR(cidr)
    .toByteArray()
    .reduce((number, byte) => number * 256 + byte, 0);
  return { start, end: start + 2 ** (32 - length) };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
