// What is matched is what is forwarded; how a path is read has tests of its own.
import { readRequestPath } from '../../libs/proxy/src/http/path.js';
import { type Field, type StrictRequest, valuesIn } from './strict-http.js';

/** A customer as a slice is told of them. */
export interface KnownCustomer {
  readonly cookie: string;
  readonly email: string;
  readonly userId: string;
}

/** A request as its upstream has to get it. */
export interface ExpectedRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Without framing, `Host` and `X-Request-Id`. */
  readonly fields: readonly Field[];
  readonly host: string | null;
}

/** Never passed on; a name that only an underscore tells from one of these is not either. */
const STRIPPED = new Set(
  `connection proxy-connection keep-alive transfer-encoding upgrade http2-settings proxy-authenticate
   proxy-authorization proxy-authentication-info x-user-email x-user-sub x-user-name x-gateway-route x-request-id
   forwarded expect trailer x-real-ip x-client-ip x-cluster-client-ip true-client-ip x-admin-key`.split(
    /\s+/,
  ),
);
/** Passed on by rules of their own. */
const HANDLED = new Set(['te', 'cookie', 'authorization', 'max-forwards']);
/** Not compared as fields: the upstream's parser has judged them. */
const FRAMING = new Set(['host', 'content-length']);

/**
 * What becomes of a request that can be read in one way only, said once more and independently; null where no upstream
 * may see it.
 */
export function expectedOf(
  request: StrictRequest,
  customers: readonly KnownCustomer[],
): ExpectedRequest | null {
  const { method, version, fields, body } = request;
  const target = targetOf(request);
  const owner = ownerOf(fields, customers);
  if (target === null || owner === null) return null;
  const [host] = hostOf(request);
  const forwardedHost: Field[] = host === undefined ? [] : [['x-forwarded-host', host]];
  return {
    method,
    target,
    body,
    host: host ?? null,
    fields: [
      ...kept(fields, method),
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ...forwardedHost,
      ['via', `${version.slice('HTTP/'.length)} sluice-ID`],
      ['x-user-email', owner.email],
      ['x-user-sub', owner.userId],
    ],
  };
}

/** The request as the upstream got it, to be compared. */
export function comparable({ method, target, body, fields }: StrictRequest): Omit<ExpectedRequest, 'host'> {
  const compared = fields
    .filter(
      ([name]) =>
        !FRAMING.has(name.toLowerCase()) &&
        !['connection', 'transfer-encoding', 'x-request-id'].includes(name),
    )
    .map(([name, value]): Field => [
      name,
      name === 'via' ? value.replace(/sluice-[0-9a-f]{8}$/, 'sluice-ID') : value,
    ]);
  return { method, target, body, fields: compared };
}

function ownerOf(fields: readonly Field[], customers: readonly KnownCustomer[]): KnownCustomer | null {
  const cookies = valuesIn(fields, 'cookie').join('; ');
  const owners = customers.filter(({ cookie }) => cookies.includes(cookie.slice(cookie.indexOf('=') + 1)));
  return owners.length === 1 ? (owners[0] ?? null) : null;
}

function hostOf({ target, fields }: StrictRequest): string[] {
  const hosts = valuesIn(fields, 'host');
  const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [];
  return hosts.length === 0 && authority !== undefined ? [authority] : hosts;
}

function targetOf(request: StrictRequest): string | null {
  const { target } = request;
  const [whole, authority] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [''];
  if (authority !== undefined && authority.toLowerCase() !== hostOf(request)[0]?.toLowerCase()) return null;
  const rest = target.slice(whole.length);
  const path = readRequestPath(authority !== undefined && !rest.startsWith('/') ? `/${rest}` : rest);
  return path === null ? null : path.path + path.search;
}

function kept(fields: readonly Field[], method: string): Field[] {
  const options = valuesIn(fields, 'connection').join().toLowerCase().split(',');
  const listed = new Set(options.map((option) => option.trim()));
  return fields.flatMap(([name, value]): Field[] => {
    const key = name.toLowerCase();
    if (FRAMING.has(key) || isStripped(key)) return [];
    if (key === 'te') return /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value) ? [[name, 'trailers']] : [];
    if (listed.has(key)) return [];
    if (key === 'cookie') return withoutSession(name, value);
    if (key === 'max-forwards' && method === 'OPTIONS' && /^\d+$/.test(value))
      return [[name, String(Number(value) - 1)]];
    return [[name, value]];
  });
}

function isStripped(key: string): boolean {
  const dashed = key.replaceAll('_', '-');
  if (STRIPPED.has(dashed) || dashed.startsWith('x-forwarded-')) return true;
  return dashed !== key && HANDLED.has(dashed);
}

function withoutSession(name: string, value: string): Field[] {
  const pairs = value.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() !== 'session');
  return pairs.length === 0 ? [] : [[name, pairs.join(';').trim()]];
}
