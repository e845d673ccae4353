import type { CookieRenewal } from '../headers/renewed-cookie.js';
import type { ChangeWatch } from './change-watch.js';
import type { Visitor } from './visitor.js';
import type { VisitorCache } from './visitor-cache.js';

/**
 * The cookie of a session that a request extends, from its admission to the start of its answer. A slice may take its
 * time for that, and the browser sign out or in anew meanwhile. Its old cookie, given out then, would take the place of
 * the new one. So it is given only while no session of the user's has been heard to end since.
 *
 * What remains: two answers on two connections, or of two replicas, that begin within the milliseconds that a NOTIFY
 * or a packet takes. A browser that gets them the wrong way round keeps an id that is worth nothing, and has to sign
 * in once more; nobody is let in.
 */
export class SessionRenewal implements CookieRenewal {
  readonly #cache: VisitorCache;
  readonly #visitor: Visitor;
  readonly #changes: ChangeWatch;
  #setCookie: string | null;

  /** @param setCookie the header's value, with the whole term */
  constructor(cache: VisitorCache, visitor: Visitor, setCookie: string | null) {
    this.#cache = cache;
    this.#visitor = visitor;
    this.#changes = cache.watch();
    this.#setCookie = setCookie;
  }

  take(): string | null {
    const setCookie = this.#cache.isSignedIn(this.#visitor, this.#changes) ? this.#setCookie : null;
    this.end();
    return setCookie;
  }

  /** The answer is out, or there will be none; or the session could not be extended. Repeatable. */
  end(): void {
    this.#setCookie = null;
    this.#changes[Symbol.dispose]();
  }
}
