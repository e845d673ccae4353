import { isAbsolute, relative, resolve, sep } from 'node:path';
import { TrustProxy } from '#common';
import type { Environment } from './environment.js';
import { isOwnPath } from './own-paths.js';

/** Below `/auth` the callback of OIDC may be anything but one of these. */
const OWN_AUTH =
  /^\/auth(?:$|\/(?:guest|login|logout|logout-all|me|password|register|sessions|totp|verify)(?:\/|$))/;

/** What no single variable can tell: one sentence a fault. */
export function crossChecks(env: Environment): string[] {
  const faults: string[] = [];
  const production = env.NODE_ENV === 'production';
  if (env.SESSION_COOKIE_SAMESITE === 'None' && !(env.SESSION_COOKIE_SECURE ?? production)) {
    faults.push(
      'SESSION_COOKIE_SAMESITE None needs SESSION_COOKIE_SECURE=true: browsers drop the cookie otherwise',
    );
  }
  faults.push(...cookieChecks(env, production));
  if (env.SLICE_RUNTIME === 'docker' && env.SLICE_IMAGE === undefined) {
    faults.push('SLICE_RUNTIME docker needs SLICE_IMAGE, the image of your app');
  }
  faults.push(...oidcChecks(env));
  if (env.SECRET_KEY_PREVIOUS !== undefined && env.SECRET_KEY_PREVIOUS === env.SECRET_KEY) {
    faults.push(
      'SECRET_KEY_PREVIOUS is the SECRET_KEY itself; give it the one that was in force before, or unset it',
    );
  }
  if (env.DATABASE_URL !== undefined && env.DB_HOST !== undefined) {
    faults.push('DATABASE_URL and DB_HOST are both set; keep one of them');
  }
  if (env.SLICE_NETWORK !== undefined && env.SLICE_RUNTIME === 'process') {
    faults.push('SLICE_NETWORK is for the docker runtime; unset it, or set SLICE_RUNTIME=docker');
  }
  if (env.SLICE_NETWORK !== undefined && trustsSlices(env)) {
    faults.push(
      "TRUST_PROXY overlaps SLICE_SUBNETS, where the slices are; name the proxy's own address, or choose another network",
    );
  }
  if (env.NOTIFY_WEBHOOK_SECRET !== undefined && env.NOTIFY_WEBHOOK_URL === undefined) {
    faults.push('NOTIFY_WEBHOOK_SECRET signs what goes to NOTIFY_WEBHOOK_URL, which is not set');
  }
  faults.push(...staticChecks(env));
  const covered = env.SLICE_PATHS.filter(isOwnPath);
  if (covered.length > 0)
    faults.push(`SLICE_PATHS must leave ${covered.join(', ')} to Sluice's own endpoints`);
  if (production) faults.push(...productionChecks(env));
  return faults;
}

/**
 * A slice whose address counts as a proxy's could choose the client address it is limited and logged by. Of two
 * networks that overlap, one holds any address of the other.
 */
function trustsSlices({ TRUST_PROXY: trusted, SLICE_SUBNETS: pool }: Environment): boolean {
  const slices = new TrustProxy([pool]);
  return (
    new TrustProxy(trusted).trusts(addressIn(pool)) ||
    trusted.some((network) => slices.trusts(addressIn(network)))
  );
}

function addressIn(network: string): string {
  return network.split('/', 1).join();
}

/** What is served at `/` is served to everybody. */
function staticChecks({ STATIC_DIR: folder, DATA_DIR, CONFIG_FILE }: Environment): string[] {
  if (folder === undefined) return [];
  return Object.entries({ DATA_DIR, CONFIG_FILE })
    .filter(([, path]) => isWithin(folder, resolve(path)))
    .map(([name]) => `${name} lies in STATIC_DIR, where everybody could read it; move one of them`);
}

function isWithin(folder: string, path: string): boolean {
  const [first] = relative(folder, path).split(sep);
  return first !== '..' && !isAbsolute(first ?? '');
}

/** Browsers drop a cookie that breaks the promise of its name's prefix, in whatever case (RFC 6265bis §4.1.3). */
function cookieChecks(env: Environment, production: boolean): string[] {
  const prefix = /^__(?:host|secure)-/i.exec(env.SESSION_COOKIE_NAME)?.[0];
  if (prefix === undefined) return [];
  const faults: string[] = [];
  if (!(env.SESSION_COOKIE_SECURE ?? production)) {
    faults.push(
      `SESSION_COOKIE_NAME ${prefix}… needs SESSION_COOKIE_SECURE=true: browsers drop the cookie otherwise`,
    );
  }
  if (prefix.toLowerCase() === '__host-' && env.SESSION_COOKIE_DOMAIN !== undefined) {
    faults.push(`SESSION_COOKIE_NAME ${prefix}… is for one host alone; unset SESSION_COOKIE_DOMAIN`);
  }
  return faults;
}

/** Whether a path belongs to an endpoint that is not the callback of OIDC. */
function isTaken(path: string): boolean {
  return /^\/auth(?:\/|$)/.test(path) ? OWN_AUTH.test(path) : isOwnPath(path);
}

/** Half an OIDC block is a mistake, never "no OIDC". */
function oidcChecks(env: Environment): string[] {
  const required = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const;
  const endpoints = [
    'OIDC_AUTHORIZATION_ENDPOINT',
    'OIDC_TOKEN_ENDPOINT',
    'OIDC_USERINFO_ENDPOINT',
    'OIDC_REVOCATION_ENDPOINT',
    'OIDC_JWKS_URI',
  ] as const;
  const given = [...required, ...endpoints].filter((name) => env[name] !== undefined);
  if (given.length === 0) return [];
  const faults: string[] = required
    .filter((name) => env[name] === undefined)
    .map(
      (name) => `${name} is required, since ${given.join(', ')} is set; set all of OIDC, or nothing of it`,
    );
  if (isTaken(env.OIDC_REDIRECT_PATH)) {
    faults.push(
      `OIDC_REDIRECT_PATH ${env.OIDC_REDIRECT_PATH} is another endpoint's; choose a path of its own`,
    );
  }
  if (env.NODE_ENV === 'production') {
    for (const name of ['OIDC_ISSUER', ...endpoints] as const) {
      if (env[name]?.startsWith('http:') === true) faults.push(`${name} must be an https URL in production`);
    }
  }
  return faults;
}

function productionChecks(env: Environment): string[] {
  const required = [
    'SECRET_KEY',
    'GATEWAY_JWT_SECRET',
    'ADMIN_KEY',
    'ADMIN_EMAIL',
    'ADMIN_PASSWORD',
    'APP_URL',
  ] as const;
  const faults: string[] = required
    .filter((name) => env[name] === undefined)
    .map((name) => `${name} is required in production`);
  if (env.REQUIRE_VERIFIED_EMAIL && env.SMTP_URL === undefined && env.OIDC_ISSUER === undefined) {
    faults.push(
      'REQUIRE_VERIFIED_EMAIL needs SMTP_URL: no address could be verified, and nobody would get a slice',
    );
  }
  faults.push(...billingChecks(env));
  if (env.SLICE_RUNTIME === 'auto' && env.SLICE_IMAGE === undefined) {
    faults.push(
      'SLICE_IMAGE is required in production (SLICE_RUNTIME=process runs slices without any isolation)',
    );
  }
  return faults;
}

/**
 * Half of it is a mistake: without the secret every webhook would be refused, without the price every checkout. Elsewhere
 * billing is off then, and says so.
 */
function billingChecks(env: Environment): string[] {
  if (env.STRIPE_SECRET_KEY === undefined) return [];
  const faults = (['STRIPE_WEBHOOK_SECRET', 'STRIPE_PRICE_ID'] as const)
    .filter((name) => env[name] === undefined)
    .map((name) => `${name} is required in production, since STRIPE_SECRET_KEY is set`);
  // The key goes there with each call.
  if (env.STRIPE_API_BASE?.startsWith('http:') === true)
    faults.push('STRIPE_API_BASE must be an https URL in production');
  return faults;
}
