import type { IncomingMessage } from 'node:http';

/** A session cookie that goes out once more, for another whole term, with the answer to the request it came with. */
export interface CookieRenewal {
  /** The `Set-Cookie` value, asked for when the answer begins; null when the session is none any more. */
  take(): string | null;
}

const RENEWAL = Symbol('sluice.cookieRenewal');

type RenewingRequest = IncomingMessage & { [RENEWAL]?: CookieRenewal };

/** Has whoever answers this request, a slice or the gateway, renew its cookie. */
export function renewCookie(req: IncomingMessage, renewal: CookieRenewal): void {
  (req as RenewingRequest)[RENEWAL] = renewal;
}

/**
 * Adds the cookie to renew, if there is one, to the lines of a final answer, beside the cookies of the slice. No cache
 * that is shared may keep such an answer: it would give the session to everybody (RFC 9111 §7.3).
 * @param lines name, value, name, value …
 */
export function addRenewedCookie(lines: string[], req: IncomingMessage): void {
  const cookie = (req as RenewingRequest)[RENEWAL]?.take() ?? null;
  if (cookie !== null) lines.push('Set-Cookie', cookie, 'Cache-Control', 'private');
}
