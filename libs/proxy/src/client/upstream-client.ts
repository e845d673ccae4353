import { type ConnectionOptions, DEFAULT_CONNECTION_OPTIONS } from './connection-options.js';
import { UpstreamConnection, type ConnectionOwner, type UpstreamAddress } from './upstream-connection.js';
import { UpstreamFault } from './upstream-fault.js';
import { type RequestParts, type UpstreamHandler, UpstreamRequest } from './upstream-request.js';

export interface UpstreamClientOptions extends ConnectionOptions {
  /** How often it is looked for connections that have been idle for too long, in milliseconds. */
  readonly sweepMs: number;
}

const DEFAULT_OPTIONS: UpstreamClientOptions = { ...DEFAULT_CONNECTION_OPTIONS, sweepMs: 1_000 };

/**
 * The gateway's HTTP/1.1 client: connections by origin, each of which serves one exchange at a time and waits for the
 * next. Nothing limits their number; who sends, limits what is in flight.
 *
 * Of our own, since it is most of what a proxied request costs: docs/adr/0022 has the figures.
 */
export class UpstreamClient {
  readonly #options: UpstreamClientOptions;
  readonly #origins = new Map<string, Origin>();
  #sweeper: NodeJS.Timeout | null = null;
  #destroyed = false;

  constructor(options: Partial<UpstreamClientOptions> = {}) {
    this.#options = { ...DEFAULT_OPTIONS, ...options };
  }

  /**
   * Sends a request, and has its handler told what becomes of it.
   * @param origin `http://host:port` or `https://host:port`
   * @throws UpstreamFault UPSTREAM_NOT_SENDABLE; then the handler hears nothing
   */
  dispatch(origin: string, parts: RequestParts, handler: UpstreamHandler): void {
    const request = new UpstreamRequest(parts, origin.slice(origin.indexOf('//') + 2));
    if (this.#destroyed) {
      handler.onResponseError(stopped());
      return;
    }
    let found = this.#origins.get(origin);
    if (found === undefined) {
      found = new Origin(addressOf(origin), this.#options, () => this.#origins.delete(origin));
      this.#origins.set(origin, found);
    }
    found.dispatch(request, handler, parts.fresh ?? false);
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#options.sweepMs).unref();
  }

  /** The origins that there are connections to. */
  get origins(): string[] {
    return [...this.#origins.keys()];
  }

  /** Aborts what is in flight and closes all connections; resolves when they are closed. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    await Promise.all([...this.#origins.values()].map((origin) => origin.destroy()));
  }

  #sweep(): void {
    const now = performance.now();
    for (const origin of this.#origins.values()) origin.sweep(now);
  }
}

/** The connections to one origin. */
class Origin implements ConnectionOwner {
  readonly #address: UpstreamAddress;
  readonly #options: ConnectionOptions;
  readonly #onEmpty: () => void;
  readonly #open = new Set<UpstreamConnection>();
  /** The one that was used last comes first: the others get the time to go. */
  readonly #idle: UpstreamConnection[] = [];

  /** @param onEmpty called when the last connection is closed */
  constructor(address: UpstreamAddress, options: ConnectionOptions, onEmpty: () => void) {
    this.#address = address;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler, fresh: boolean): void {
    const idle = fresh ? null : this.#takeIdle();
    if (idle !== null) idle.send(request, handler);
    else this.#open.add(new UpstreamConnection(this.#address, this.#options, this, request, handler));
  }

  released(connection: UpstreamConnection): void {
    this.#idle.push(connection);
  }

  closed(connection: UpstreamConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    if (this.#open.size === 0) this.#onEmpty();
  }

  sweep(now: number): void {
    for (const connection of this.#idle) if (connection.isStale(now)) void connection.destroy(null);
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => connection.destroy(stopped())));
  }

  #takeIdle(): UpstreamConnection | null {
    const now = performance.now();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.isStale(now)) return idle;
      void idle.destroy(null);
    }
    return null;
  }
}

function addressOf(origin: string): UpstreamAddress {
  const { protocol, hostname, port } = new URL(origin);
  const tls = protocol === 'https:';
  // Brackets are how a URL writes an IPv6 address, not part of it.
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { host, port: Number(port) || (tls ? 443 : 80), tls };
}

function stopped(): UpstreamFault {
  return new UpstreamFault('UPSTREAM_CLOSED', 'The gateway has closed its connections to upstreams');
}
