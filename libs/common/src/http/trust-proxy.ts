import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

type Address = ReturnType<typeof ipaddr.process>;
type Network = readonly [address: Address, prefixLength: number];

/** The two things of an `IncomingMessage` that say where it comes from. */
export interface FromPeer {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Addresses whose verdict is kept: more than anybody has proxies. What strangers claim to be passes through as well. */
const REMEMBERED = 256;

/** What a request without a peer is said to come from (RFC 1122 §3.2.1.3): its socket is closed already. */
const UNSPECIFIED = '0.0.0.0';

/** `203.0.113.7:4711` and `[2001:db8::7]:4711`: some proxies add the port to X-Forwarded-For. */
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[0-9.]+))(?::\d{1,5})?$/;

/**
 * The proxies in front whose word about a request counts. Empty, the default, means that nobody's does: otherwise any
 * caller could choose the address it is limited and logged by.
 */
export class TrustProxy {
  private readonly networks: readonly Network[];
  /** Every request asks, and nearly always about the same few proxies; to parse an address takes microseconds. */
  private readonly verdicts = new LRUCache<string, boolean>({ max: REMEMBERED });

  /**
   * @param trusted addresses (`10.0.0.1`, `::1`) or networks in CIDR notation (`10.0.0.0/8`)
   * @throws TypeError that names the first entry that is neither
   */
  constructor(trusted: readonly string[]) {
    this.networks = trusted.map(parseNetwork);
  }

  /** Whether this address is one of the trusted proxies. IPv4-mapped IPv6 addresses count as IPv4. */
  trusts(address: string | undefined): boolean {
    if (this.networks.length === 0 || address === undefined) return false;
    return this.verdicts.get(address) ?? this.judge(address);
  }

  private judge(address: string): boolean {
    const parsed = parseAddress(address);
    const trusted = parsed !== null && this.networks.some((network) => contains(network, parsed));
    this.verdicts.set(address, trusted);
    return trusted;
  }
}

/**
 * The address of the client, canonical: the peer, or what trusted proxies say through `X-Forwarded-For`. That list
 * is read from the right, where our own proxies write, and no further than the first address that is not trusted:
 * everything left of it can be made up by the caller.
 */
export function clientIp(request: FromPeer, trust: TrustProxy): string {
  const peer = canonical(request.socket.remoteAddress);
  const forwarded = request.headers['x-forwarded-for'];
  if (forwarded === undefined || !trust.trusts(peer)) return peer;
  const hops = String(forwarded).split(',');
  let client = peer;
  for (let i = hops.length - 1; i >= 0 && trust.trusts(client); i--) {
    const hop = parseAddress(hops[i]?.trim() ?? '');
    if (hop === null) break;
    client = hop.toString();
  }
  return client;
}

/** An IPv4 address, the usual case, needs no parsing; `::ffff:203.0.113.7` is how a dual-stack socket shows one. */
function canonical(address: string | undefined): string {
  if (address === undefined) return UNSPECIFIED;
  return address.includes(':') ? (parseAddress(address)?.toString() ?? UNSPECIFIED) : address;
}

function parseAddress(text: string): Address | null {
  const groups = WITH_PORT.exec(text)?.groups;
  const bare = groups?.['v6'] ?? groups?.['v4'] ?? text;
  // ipaddr.js reads `127.1` and `0x7f.1` as well; no proxy writes those, and what two readers read differently is
  // not to be trusted.
  if (!bare.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return null;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
}

function parseNetwork(entry: string): Network {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  const address = parseAddress(entry);
  if (address === null) {
    throw new TypeError(`${entry} is neither an IP address nor a network such as 10.0.0.0/8`);
  }
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function contains([network, prefixLength]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, prefixLength);
}
