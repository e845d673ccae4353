/** The loopback, and what connects to it all the same (RFC 5735 §3, RFC 4291 §2.5). */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])$/;

/**
 * Whether a URL leads to the gateway itself: what went there would come back, and go there again.
 * @param ownUrl where it is reached
 * @param listening what it listens on; port 0 where that is known only from `ownUrl`
 */
export function isOwnAddress(
  url: string,
  ownUrl: string,
  listening: { readonly host: string; readonly port: number },
): boolean {
  const [target, own] = [new URL(url), new URL(ownUrl)];
  if (target.origin === own.origin) return true;
  const port = listening.port === 0 ? portOf(own) : listening.port;
  return portOf(target) === port && (LOOPBACK.test(target.hostname) || target.hostname === listening.host);
}

function portOf({ protocol, port }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
