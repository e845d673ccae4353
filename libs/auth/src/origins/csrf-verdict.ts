/** What a request says of the page it comes from. A header that was not sent is undefined. */
export interface RequestProvenance {
  readonly method: string;
  readonly origin: string | undefined;
  readonly referer: string | undefined;
  readonly secFetchSite: string | undefined;
  /** A WebSocket upgrade is a GET that no same-origin policy protects (RFC 6455 §10.2). */
  readonly upgrade?: boolean;
}

export type CsrfVerdict = 'allowed' | 'rejected';

/** RFC 9110 §9.2.1. TRACE is safe too, and refused long before this. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request that a browser authenticates by itself (a cookie) may take effect, by where it comes from.
 *
 * Each of `Origin`, `Referer` and `Sec-Fetch-Site` that is there has to be allowed: a page can make a browser leave
 * one out, but can't make it send a false one. With none of them it is no browser, or none of the last ten years, and
 * what is no browser has no cookie of somebody else's to ride on.
 *
 * - `Origin: null` (a sandboxed frame, a `data:` page, a redirect across origins, `Referrer-Policy: no-referrer` with
 *   a form) is nobody's origin, hence not allowed.
 * - `Sec-Fetch-Site: same-origin` is our own page, `none` the customer's own doing (address bar, bookmark).
 *   `same-site` may be any subdomain, `cross-site` anybody: both count only with an allowed `Origin` beside them,
 *   which is how a frontend of its own calls (`ALLOWED_ORIGINS`). A Referer alone does not: it is the page's to
 *   suppress and to shorten.
 * - An upgrade always has an `Origin` from a browser, so it needs it as soon as anything says "browser".
 */
export function csrfVerdict(from: RequestProvenance, allows: (origin: string) => boolean): CsrfVerdict {
  const { method, origin, referer, secFetchSite, upgrade = false } = from;
  if (!upgrade && SAFE_METHODS.has(method)) return 'allowed';
  if (origin === undefined && referer === undefined && secFetchSite === undefined) return 'allowed';

  const originAllowed = origin !== undefined && allows(origin);
  const passes =
    (originAllowed || (origin === undefined && !upgrade)) &&
    (referer === undefined || refererAllowed(referer, allows)) &&
    (secFetchSite === undefined || siteAllowed(secFetchSite, originAllowed));
  return passes ? 'allowed' : 'rejected';
}

function refererAllowed(referer: string, allows: (origin: string) => boolean): boolean {
  return URL.canParse(referer) && allows(new URL(referer).origin);
}

function siteAllowed(secFetchSite: string, originAllowed: boolean): boolean {
  switch (secFetchSite) {
    case 'same-origin':
    case 'none':
      return true;
    case 'same-site':
    case 'cross-site':
      return originAllowed;
    default:
      return false;
  }
}
