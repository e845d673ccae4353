import { Injectable } from '@nestjs/common';
import { stringifySetCookie, type SetCookie } from 'cookie';
import { AuthError } from '#common';
import { AppConfig, type SessionConfig } from '#config';
import type { SessionKind } from '#database';
import { cookieValues } from './cookie-values.js';
import { hashSessionId, isSessionId } from './session-id.js';
import { sessionTermMs } from './session-term.js';

/** `cookie` writes them in lower case in its options, and as RFC 6265bis does in the header. */
const SAME_SITE = { Lax: 'lax', Strict: 'strict', None: 'none' } as const;

/** Browsers ask of it, whatever its case, that the cookie is Secure and names no domain: so does the configuration. */
const HOST_PREFIX = /^__Host-/i;

/** Each one costs a look-up; a browser that means well sends one, or two after a change of the cookie's domain. */
const MAX_PRESENTED = 8;

/** Reads and writes the session cookie (contract §2). */
@Injectable()
export class SessionCookie {
  /** The names that are ours: no slice ever sees them, and none can set them. */
  readonly names: ReadonlySet<string>;
  private readonly attributes: Omit<SetCookie, 'value'>;
  private readonly terms: SessionConfig;

  constructor(config: AppConfig) {
    const { cookieName, cookieDomain, secure, sameSite } = config.session;
    this.names = new Set(HOST_PREFIX.test(cookieName) ? [cookieName] : [cookieName, `__Host-${cookieName}`]);
    this.terms = config.session;
    this.attributes = {
      name: cookieName,
      path: '/',
      httpOnly: true,
      sameSite: SAME_SITE[sameSite],
      secure,
      ...(cookieDomain === undefined ? {} : { domain: cookieDomain }),
    };
  }

  /** The `Set-Cookie` value that signs a browser in, or keeps it so for another whole term. */
  issue(sessionId: string, kind: SessionKind): string {
    const maxAge = Math.floor(sessionTermMs(this.terms, kind) / 1000);
    return stringifySetCookie({ ...this.attributes, value: sessionId, maxAge });
  }

  /** The `Set-Cookie` value that makes a browser forget its session. */
  clear(): string {
    return stringifySetCookie({ ...this.attributes, value: '', maxAge: 0 });
  }

  /** The cookie of this session again, with its whole term before it; null when it was not sent. */
  renew(cookieHeader: string | undefined, sessionHash: string, kind: SessionKind): string | null {
    const id = this.idsIn(cookieHeader).find((candidate) => hashSessionId(candidate) === sessionHash);
    return id === undefined ? null : this.issue(id, kind);
  }

  /**
   * What a request presents as its session, each value once: the hash of a session id, or null for a value that can
   * be none. It counts as presented nonetheless: whether a request is ambiguous is not for its form to decide.
   * @throws AuthError AMBIGUOUS_SESSION when there are more than anybody needs
   */
  hashesIn(cookieHeader: string | undefined): (string | null)[] {
    const ids = this.idsIn(cookieHeader);
    if (ids.length > MAX_PRESENTED) {
      throw new AuthError(
        'AMBIGUOUS_SESSION',
        'Too many session cookies were sent. Delete the cookies of this site and sign in again.',
      );
    }
    return ids.map((id) => (isSessionId(id) ? hashSessionId(id) : null));
  }

  private idsIn(cookieHeader: string | undefined): string[] {
    if (cookieHeader === undefined) return [];
    const values = cookieValues(cookieHeader, this.names);
    return values.length < 2 ? values : [...new Set(values)];
  }
}
