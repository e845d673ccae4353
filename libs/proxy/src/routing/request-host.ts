/** The host and port that a request was sent to. */
export interface RequestHost {
  /** Lower-case; IPv6 in brackets; empty where there was no `Host`. */
  readonly name: string;
  /** The scheme's own where the header names none (RFC 9110 §7.2). */
  readonly port: number;
}

/**
 * Reads a `Host` header that has passed `screenRequest`.
 * @param secure whether the client speaks https, to us or to a trusted proxy in front
 */
export function readHost(header: string | undefined, secure: boolean): RequestHost {
  const host = header ?? '';
  const colon = host.lastIndexOf(':');
  const hasPort = colon > host.lastIndexOf(']');
  return {
    name: (hasPort ? host.slice(0, colon) : host).toLowerCase(),
    port: hasPort ? Number(host.slice(colon + 1)) : secure ? 443 : 80,
  };
}
