import ipaddr from 'ipaddr.js';

/** Who owns one address of a network easily owns the others: what a provider gives to one customer. */
const LOGIN_PREFIX = { ipv4: 24, ipv6: 56 } as const;

/** One machine: with IPv6 it chooses its own last 64 bits (RFC 4291 §2.5.1), and new ones each day (RFC 8981). */
const MACHINE_PREFIX = { ipv4: 32, ipv6: 64 } as const;

/** The network a sign-in comes from, `203.0.113.0/24` for example. */
export function networkOf(ip: string): string {
  return masked(ip, LOGIN_PREFIX);
}

/** The machine a request comes from. */
export function machineOf(ip: string): string {
  return masked(ip, MACHINE_PREFIX);
}

function masked(ip: string, prefix: typeof LOGIN_PREFIX | typeof MACHINE_PREFIX): string {
  const address = ipaddr.process(ip);
  const length = prefix[address.kind()];
  const bytes = address.toByteArray().map((byte, i) => {
    const kept = Math.min(8, Math.max(0, length - i * 8));
    return byte & (0xff << (8 - kept));
  });
  return `${ipaddr.fromByteArray(bytes).toString()}/${length}`;
}
