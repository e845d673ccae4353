import { Injectable } from '@nestjs/common';
import { AppConfig, SettingsInForce } from '#config';

/** Two names of the same machine; a browser takes them for two origins. */
const LOOPBACK_TWINS: ReadonlyMap<string, string> = new Map([
  ['localhost', '127.0.0.1'],
  ['127.0.0.1', 'localhost'],
]);

/** Stands for any origin, in a list of them. */
const ANY = '*';

/**
 * The origins whose pages may call us with the customer's cookie: for CSRF, CORS and WebSockets alike. Those of
 * config.yml change with it.
 */
@Injectable()
export class AllowedOrigins {
  private own: readonly string[] = [];
  private others: ReadonlySet<string> = new Set();

  constructor(
    private readonly config: AppConfig,
    settings: SettingsInForce,
  ) {
    if (config.http.appUrl !== null) this.setOwn(config.http.appUrl);
    this.setOthers(settings.current.allowedOrigins);
    settings.onChange(({ allowedOrigins }) => this.setOthers(allowedOrigins));
  }

  /**
   * Sets our own origin, where it is known only once the server listens (port 0). On loopback the other of
   * `localhost` and `127.0.0.1` is ours as well: the same port of the same machine.
   * @param url an origin, or any URL of it
   */
  setOwn(url: string): void {
    const { origin, protocol, hostname, port } = new URL(url);
    const twin = LOOPBACK_TWINS.get(hostname);
    this.own = twin === undefined ? [origin] : [origin, new URL(`${protocol}//${twin}:${port}`).origin];
  }

  /** Our own origin, as mailed links name it. */
  get ownOrigin(): string {
    return this.own[0] ?? 'http://localhost';
  }

  /** Our own host, with its port unless that is the default: who issued a token. */
  get ownHost(): string {
    const [origin] = this.own;
    return origin === undefined ? 'localhost' : new URL(origin).host;
  }

  /**
   * Whether a page may call with the customer's cookie; `*` lets nobody do that.
   * @param origin as a browser writes it: scheme, host and, unless it is the default, port
   */
  allows(origin: string): boolean {
    return origin !== ANY && (this.own.includes(origin) || this.others.has(origin));
  }

  /** Whether any page may call where no cookie counts: an origin is `*`. */
  get allowsAnyWithoutCookie(): boolean {
    return this.others.has(ANY);
  }

  private setOthers(ofSettings: readonly string[]): void {
    this.others = new Set([...this.config.http.allowedOrigins, ...ofSettings]);
  }
}
