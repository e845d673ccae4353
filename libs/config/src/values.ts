import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { TrustProxy } from '#common';

/** Building blocks for environment variables: each takes the string of the environment and yields a typed value. */

export const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });

export function integer(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
}

export function decimal(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const BYTES = /^(\d+)\s*([bkmg]?)b?$/i;

/** `256m` as bytes, in Docker's notation (powers of 1024). */
export function parseBytes(text: string): number | null {
  const match = BYTES.exec(text.trim());
  if (match === null) return null;
  return Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? Number.NaN);
}

export const bytes = z.string().transform((text, context) => {
  const value = parseBytes(text);
  if (value !== null && Number.isSafeInteger(value) && value >= 6 * 1024 ** 2) return value;
  context.addIssue({
    code: 'custom',
    message: 'must be an amount of memory such as 256m or 1g (6m at the least)',
  });
  return z.NEVER;
});

export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Addresses and networks, as {@link TrustProxy} reads them. */
export const networkList = list.superRefine((entries, context) => {
  try {
    void new TrustProxy(entries);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    context.addIssue({ code: 'custom', message: `has a faulty entry: ${error.message}` });
  }
});

/** Prefix length of the network that one slice gets: 13 members, of which are the slice, its database, and gateways. */
export const SLICE_SUBNET_LENGTH = 28;

/** Ranges of IPv4 (RFC 6890) that no bridge between containers can have. */
const UNUSABLE_RANGES: ReadonlySet<string> = new Set([
  'broadcast',
  'linkLocal',
  'loopback',
  'multicast',
  'unspecified',
]);

/** An IPv4 network in CIDR notation, as it is written: with no bit set behind its prefix. */
export const subnetPool = z.string().superRefine((text, context) => {
  const message = faultOfPool(text);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

function faultOfPool(text: string): string | null {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return 'must be an IPv4 network such as 10.213.0.0/16';
  const [address, length] = ipaddr.IPv4.parseCIDR(text);
  if (length > SLICE_SUBNET_LENGTH) {
    return `must have room for one slice at the least: a prefix of ${SLICE_SUBNET_LENGTH} or shorter`;
  }
  const network = ipaddr.IPv4.networkAddressFromCIDR(text).toString();
  if (address.toString() !== network) return `must begin where the network does: ${network}/${length}`;
  if (length < 8 || UNUSABLE_RANGES.has(address.range())) return 'must be a network that containers can use';
  return null;
}

export const origin = z
  .string()
  .refine(isOrigin, 'must be an origin such as https://app.example.com, without a path');

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}

/** One of these, or any: that counts where no cookie does. */
export const originOrAny = z
  .string()
  .refine(
    (text) => text === '*' || isOrigin(text),
    'must be an origin such as https://app.example.com, without a path, or * for any',
  );

export const originList = list.pipe(z.array(originOrAny));

/** As it stands: an issuer is compared byte by byte (OpenID Connect Core §3.1.3.7), its final slash included. */
export const httpUrlAsIs = urlOf(['http:', 'https:'], 'must be an http or https URL');

export const httpUrl = httpUrlAsIs.transform((text) => text.replace(/\/+$/, ''));

export const redisUrl = urlOf(
  ['redis:', 'rediss:'],
  'must be a URL such as redis://user:password@host:6379/0',
);

export const smtpUrl = urlOf(
  ['smtp:', 'smtps:'],
  'must be a URL such as smtp://user:password@host:587, its parts percent-encoded',
);

/** `address` or `Name <address>` (RFC 5322 §3.4), without what would need quoting. */
export const mailbox = z
  .string()
  .regex(
    /^(?:[^\p{Cc}<>@"(),:;]*<[^\s\p{Cc}<>@"]+@[^\s\p{Cc}<>@"]+>|[^\s\p{Cc}<>@"]+@[^\s\p{Cc}<>@"]+)$/u,
    'must be an address such as noreply@example.com, or Name <noreply@example.com>',
  );

function urlOf(protocols: readonly string[], message: string) {
  return z
    .string()
    .refine(
      (text) => protocols.includes(URL.parse(text)?.protocol ?? '') && URL.parse(text)?.hostname !== '',
      message,
    );
}

/** libpq's words (PostgreSQL documentation §32.19.1), and what they mean here. */
const SSL_MODES = {
  disable: false,
  allow: false,
  prefer: false,
  require: { rejectUnauthorized: false },
  'verify-ca': { rejectUnauthorized: true },
  'verify-full': { rejectUnauthorized: true },
} as const;

function isSslMode(text: string): text is keyof typeof SSL_MODES {
  return Object.hasOwn(SSL_MODES, text);
}

/** A connection URI of PostgreSQL, in its parts; user, password and name may be percent-encoded. */
export const postgresUrl = z.string().transform((text, context) => {
  const url = /^postgres(ql)?:\/\/[^/]/.test(text) ? URL.parse(text) : null;
  try {
    if (url !== null) return connectionIn(url, context);
  } catch {
    // A faulty percent-encoding.
  }
  context.addIssue({
    code: 'custom',
    message: 'must be a URL such as postgres://user:password@host:5432/sluice, its parts percent-encoded',
  });
  return z.NEVER;
});

function connectionIn(url: URL, context: z.RefinementCtx) {
  const sslMode = url.searchParams.get('sslmode') ?? 'disable';
  if (!isSslMode(sslMode)) {
    context.addIssue({
      code: 'custom',
      message: `has an unknown sslmode; take one of ${Object.keys(SSL_MODES).join(', ')}`,
    });
    return z.NEVER;
  }
  return {
    // A URL keeps the brackets of an IPv6 address, which no resolver takes.
    host: decodeURIComponent(url.hostname).replaceAll(/[[\]]/g, ''),
    port: url.port === '' ? 5432 : Number(url.port),
    name: decodeURIComponent(url.pathname.slice(1)) || 'sluice',
    user: decodeURIComponent(url.username) || 'sluice',
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    tls: SSL_MODES[sslMode],
  };
}

export const ownPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/, 'must be a path such as /api');

export const pathList = list.pipe(z.array(ownPath).min(1, 'needs one path at the least'));

/** A folder that is there, as an absolute path. */
export const folder = z
  .string()
  .transform((path) => resolve(path))
  .refine(isReadableFolder, 'must be a folder that can be read');

function isReadableFolder(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

export const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'must be a range such as 5001-5999')
  .transform((text) => {
    const [from = 0, to = 0] = text.split('-').map(Number);
    return { from, to };
  })
  .refine(
    ({ from, to }) => from >= 1024 && to <= 65_535 && from <= to,
    'must lie within 1024-65535, lowest first',
  );

/** A JSON object of strings, for variables passed on to every slice. */
export const jsonEnvironment = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object such as {"KEY":"value"}' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable name'), z.string()));

const GUESSABLE = /^(changeme|change-me|secret|password|admin|default|test|example)\d*$/i;

/** A secret that somebody chose: long enough, and not one that everybody tries first. */
export function secret(minLength: number) {
  return z
    .string()
    .min(minLength, `must have ${minLength} characters at the least; try: openssl rand -base64 32`)
    .refine(
      (text) => !GUESSABLE.test(text),
      'is a value that everybody guesses; try: openssl rand -base64 32',
    );
}
