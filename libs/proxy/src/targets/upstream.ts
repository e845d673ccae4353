/** One server that requests are sent to. */
export interface Upstream {
  /** `http://host:port` or `https://host:port`, without a path. */
  readonly origin: string;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** What its `Host` header says: without the port where that is the scheme's own. */
  readonly authority: string;
  /** Goes before the path of each request: empty, or `/` and more without a final slash. */
  readonly basePath: string;
}

/** The upstream that an `http` or `https` URL names. */
export function upstreamOf(url: string): Upstream {
  const { protocol, hostname, host, port, pathname } = new URL(url);
  const tls = protocol === 'https:';
  const numericPort = port === '' ? (tls ? 443 : 80) : Number(port);
  return {
    origin: `${protocol}//${hostname}:${numericPort}`,
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: numericPort,
    tls,
    authority: host,
    basePath: pathname.replace(/\/+$/, ''),
  };
}
