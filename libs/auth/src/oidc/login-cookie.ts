import { Injectable } from '@nestjs/common';
import { type SetCookie, stringifySetCookie } from 'cookie';
import { AppConfig } from '#config';
import { cookieNames, cookieValues } from '../sessions/cookie-values.js';
import { isSessionId, newSessionId } from '../sessions/session-id.js';
import { fingerprint, LOGIN_STATE_TTL_MS } from './login-record.js';

const HOST_PREFIX = '__Host-';
const ANY_PREFIX = /^__(?:host|secure)-/i;

/** Of a `state`'s fingerprint: enough to tell a browser's few sign-ins from each other. */
const MARK_LENGTH = 8;
const MARK = /^[\w-]{8}$/;

/** More sign-ins than anybody has under way; each cookie goes along with every request. */
const MAX_UNDER_WAY = 5;

/** Begins a sign-in in a browser. */
export interface LoginBinding {
  /** What the browser keeps of the sign-in, and nobody else has. */
  readonly secret: string;
  /** The `Set-Cookie` values: of its cookie, and of those that make room for it. */
  readonly setCookie: string[];
}

/**
 * Ties sign-ins that have begun to the browser they began in: whoever gets hold of a callback URL has the `state` and
 * the code, and not this secret. Each sign-in has a cookie of its own, named after its `state`, so that no tab overwrites
 * what another one needs, even if both begin at once. They authenticate nobody.
 *
 * `__Host-` keeps other subdomains, and plain http, from planting one (RFC 6265bis §4.1.3.2). Hence the path `/`: no
 * slice gets to see them all the same, since the gateway keeps its own cookies to itself.
 */
@Injectable()
export class LoginCookie {
  /** What the names begin with. They are ours alone: no slice ever sees such a cookie, and none can set one. */
  readonly prefix: string;
  private readonly attributes: Omit<SetCookie, 'name' | 'value'>;

  constructor({ session: { cookieName, secure } }: AppConfig) {
    // A session cookie with a prefix is Secure in any case, or the gateway does not start.
    const hostOnly = secure || ANY_PREFIX.test(cookieName);
    this.prefix = `${hostOnly ? HOST_PREFIX : ''}${cookieName.replace(ANY_PREFIX, '')}_login_`;
    this.attributes = {
      path: '/',
      httpOnly: true,
      // The provider sends the browser back by a link, which Lax lets through.
      sameSite: 'lax',
      secure: hostOnly,
    };
  }

  /** Binds a sign-in to the browser for the time it may take. Of those under way the oldest are given up for it. */
  bind(state: string, cookieHeader: string | undefined): LoginBinding {
    const secret = newSessionId();
    const name = this.nameFor(state);
    const maxAge = LOGIN_STATE_TTL_MS / 1000;
    const cookie = stringifySetCookie({ ...this.attributes, name, value: secret, maxAge });
    // Browsers send the oldest first (RFC 6265 §5.4).
    const surplus = this.namesIn(cookieHeader).slice(0, 1 - MAX_UNDER_WAY);
    return { secret, setCookie: [cookie, ...surplus.map((each) => this.clearing(each))] };
  }

  /** The browser's secret for the sign-in; null when it has none, or several, of which one was planted. */
  secretFor(state: string, cookieHeader: string | undefined): string | null {
    const values = cookieValues(cookieHeader ?? '', new Set([this.nameFor(state)]));
    const [secret] = values;
    return values.length === 1 && secret !== undefined && isSessionId(secret) ? secret : null;
  }

  /** The `Set-Cookie` value that makes the browser forget a sign-in that has ended. */
  clear(state: string): string {
    return this.clearing(this.nameFor(state));
  }

  private clearing(name: string): string {
    return stringifySetCookie({ ...this.attributes, name, value: '', maxAge: 0 });
  }

  private nameFor(state: string): string {
    return this.prefix + fingerprint(state).slice(0, MARK_LENGTH);
  }

  private namesIn(cookieHeader = ''): string[] {
    const isOurs = (name: string): boolean =>
      name.startsWith(this.prefix) && MARK.test(name.slice(this.prefix.length));
    return [...new Set(cookieNames(cookieHeader).filter(isOurs))];
  }
}
