import { Injectable } from '@nestjs/common';
import { type SetCookie, stringifySetCookie } from 'cookie';
import { AppConfig } from '#config';
import { cookieValues } from '../sessions/cookie-values.js';
import { isSessionId, newSessionId } from '../sessions/session-id.js';
import { LOGIN_STATE_TTL_MS } from './login-record.js';

const HOST_PREFIX = '__Host-';
const ANY_PREFIX = /^__(?:host|secure)-/i;

/**
 * Ties sign-ins that have begun to the browser they began in: whoever gets hold of a callback URL has the `state` and
 * the code, and not this secret. One secret serves all tabs of a browser, each with a `state` of its own, so that there
 * is never more than one such cookie. It authenticates nobody.
 *
 * `__Host-` keeps other subdomains, and plain http, from planting one (RFC 6265bis §4.1.3.2). Hence the path `/`: no
 * slice gets to see it all the same, since the gateway keeps its own cookies to itself.
 */
@Injectable()
export class LoginCookie {
  /** Ours alone: no slice ever sees it, and none can set it. */
  readonly name: string;
  private readonly attributes: Omit<SetCookie, 'value'>;

  constructor({ session: { cookieName, secure } }: AppConfig) {
    // A session cookie with a prefix is Secure in any case, or the gateway does not start.
    const hostOnly = secure || ANY_PREFIX.test(cookieName);
    this.name = `${hostOnly ? HOST_PREFIX : ''}${cookieName.replace(ANY_PREFIX, '')}_login`;
    this.attributes = {
      name: this.name,
      path: '/',
      httpOnly: true,
      // The provider sends the browser back by a link, which Lax lets through.
      sameSite: 'lax',
      secure: hostOnly,
      maxAge: LOGIN_STATE_TTL_MS / 1000,
    };
  }

  /** The browser's secret; null when it has none, or several, of which one was planted. */
  secretIn(cookieHeader: string | undefined): string | null {
    const values = cookieValues(cookieHeader ?? '', new Set([this.name]));
    const [secret] = values;
    return values.length === 1 && secret !== undefined && isSessionId(secret) ? secret : null;
  }

  /** A secret for a browser that has none. */
  newSecret(): string {
    return newSessionId();
  }

  /** The `Set-Cookie` value that gives the browser its secret for the time of a sign-in. */
  issue(secret: string): string {
    return stringifySetCookie({ ...this.attributes, value: secret });
  }
}
