import { z } from 'zod';
import type { RateLimit } from './file-settings.js';

/** Building blocks of config.yml: each takes what YAML makes of a field, variables filled in, and checks it. */

const otherwise =
  (message: string) =>
  ({ input }: { readonly input?: unknown }): string | undefined =>
    input === undefined ? undefined : message;

/** As YAML has it, or as text: what a variable holds is text. */
export const flag = z.union(
  [
    z.boolean(),
    z
      .string()
      .regex(/^(?:true|false)$/)
      .transform((text) => text === 'true'),
  ],
  { error: otherwise('must be true or false') },
);

export function number(min: number, max: number) {
  const message = `must be a number from ${min} to ${max}`;
  return numeric(z.number(message).min(min, message).max(max, message), /^\d+(?:\.\d+)?$/, message);
}

export function integer(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return numeric(z.int(message).min(min, message).max(max, message), /^\d+$/, message);
}

function numeric(range: z.ZodNumber, digits: RegExp, message: string) {
  return z.union([range, z.string().regex(digits, message).transform(Number).pipe(range)], {
    error: otherwise(message),
  });
}

const name = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be a name of letters, digits, _ and -, 64 at the most');

/** The name of a service, a route or a pool. */
export const id = name();

/** The same as the key of a map, where no variable can stand: the JSON schema tells the two apart by their objects. */
export const idKey = name();

/** Only admins have tokens of `core` and `auth`, and those open every other route. */
export const guestRoute = id.refine(
  (route) => route !== 'core' && route !== 'auth',
  'must not be core or auth, which are for admins',
);

/**
 * A path of requests, as it is matched: nothing that is decoded on the way, no dot segments, which no request that is
 * matched has any more, and no `;`, since servers drop what follows it.
 */
export const path = z
  .string()
  .regex(
    /^\/(?:[A-Za-z0-9._~!$&'()+,=:@-]+(?:\/[A-Za-z0-9._~!$&'()+,=:@-]+)*\/?)?$/,
    'must be a path such as /api/app',
  )
  .refine((text) => !/\/\.{1,2}(?:\/|$)/.test(text), 'must have no . and no .. in it')
  .transform((text) => text.replace(/(?<=.)\/$/, ''));

/** What is asked of a backend: path and query of a URL. */
export const requestTarget = z
  .string()
  .max(500)
  .regex(/^\/[!"$-[\]-~]*$/, 'must be a path such as /health');

/** Lower-case, in the one way a URL would write it. */
export const host = z
  .string()
  .regex(
    /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)$/,
    'must be a host such as app.example.com, without a port',
  )
  .transform((text, context) => {
    const url = URL.parse(`http://${text}`);
    if (url !== null) return url.hostname;
    context.addIssue({ code: 'custom', message: 'must be a host such as app.example.com, without a port' });
    return z.NEVER;
  });

const WINDOWS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `100/min`, in any of the usual spellings of the unit. */
export const rateLimit = z
  .string()
  .regex(
    /^[1-9]\d{0,6} ?\/ ?(?:s|sec|second|m|min|minute|h|hour|d|day)$/,
    'must be a rate such as 10/s, 100/min, 1000/h or 10000/day',
  )
  .transform((text): RateLimit => {
    const [requests = '', unit = ''] = text.split('/').map((part) => part.trim());
    return { requests: Number(requests), windowSeconds: WINDOWS[unit[0] ?? ''] ?? Number.NaN };
  });

/** What an index of the database takes. */
const MAX_URL_LENGTH = 2000;

/** Where requests are sent: scheme, host, perhaps a port and a path. Without a trailing slash. */
export const upstreamUrl = z
  .string()
  .regex(/^https?:\/\//, 'must be an http or https URL such as http://app:8080')
  .transform((text, context) => {
    const url = parseUpstream(text);
    if (typeof url !== 'string') return withoutTrailingSlash(url);
    context.addIssue({ code: 'custom', message: url });
    return z.NEVER;
  });

/** The URL, or what is wrong with it as an upstream. */
function parseUpstream(text: string): URL | string {
  const url = /^https?:\/\/(?!\/)[!-[\]-~]+$/.test(text) ? URL.parse(text) : null;
  if (url === null || url.port === '0') return 'must be an http or https URL such as http://app:8080';
  if (url.username !== '' || url.password !== '') return 'must have no user and no password in it';
  if (/[?#]/.test(text)) return 'must have no query and no fragment';
  // It would be decoded: what is sent to is then not what stands there to be read.
  if (/^https?:\/\/[^/]*%/.test(text)) return 'must have no % in its host';
  if (url.href.length > MAX_URL_LENGTH) return `must have ${MAX_URL_LENGTH} characters at the most`;
  return url;
}

function withoutTrailingSlash({ origin, pathname }: URL): string {
  return origin + pathname.replace(/\/+$/, '');
}
