/** Where this gateway is reached. */
export interface OwnAddress {
  /** HOST. */
  readonly host: string;
  /** PORT; 0 where it is known only once the server listens. */
  readonly port: number;
  /** APP_URL, or what stands for it. */
  readonly appUrl: string | null;
}

/** The loopback, and what connects to it all the same (RFC 5735 §3, RFC 4291 §2.5). */
const LOOPBACK =
  /^(?:localhost\.?|.+\.localhost\.?|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])$/;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * Whether a URL leads to the gateway itself: what went there would come back, and go there again. A URL that leads
 * there in a roundabout way is found out when it does.
 */
export function isOwnAddress(url: string, own: OwnAddress): boolean {
  const target = new URL(url);
  const app = own.appUrl === null ? null : new URL(own.appUrl);
  if (app !== null && app.origin === target.origin) return true;
  const port = own.port !== 0 ? String(own.port) : app === null ? undefined : portOf(app);
  if (portOf(target) !== port) return false;
  return LOOPBACK.test(target.hostname) || target.hostname === hostnameOf(own.host);
}

function portOf({ port, protocol }: URL): string | undefined {
  return port === '' ? DEFAULT_PORTS[protocol] : port;
}

/** As a URL writes it. */
function hostnameOf(host: string): string | undefined {
  return URL.parse(`http://${host.includes(':') ? `[${host}]` : host}`)?.hostname;
}
