/** Who a request is made for, as its upstream is told; what is undefined is not sent. */
export interface UpstreamIdentity {
  readonly email?: string | undefined;
  readonly subject?: string | undefined;
  readonly name?: string | undefined;
  /** The route that a gateway token was issued for. */
  readonly route?: string | undefined;
}

const PLAIN = /^[ -~]*$/;
const NOT_PLAIN = /[^ -$&-~]+/g;

/**
 * The identity as header lines: name, value, name, value … They are the same for every request of a principal, so
 * they are made once and kept with it.
 */
export function identityHeaders(identity: UpstreamIdentity): string[] {
  const headers: string[] = [];
  push(headers, 'x-user-email', identity.email);
  push(headers, 'x-user-sub', identity.subject);
  push(headers, 'x-user-name', identity.name);
  push(headers, 'x-gateway-route', identity.route);
  return headers;
}

/**
 * A value fit for a header line. Header values are ASCII by RFC 9110 §5.5, so a value with anything else (control
 * characters included: they would start a line of their own) has it percent-encoded as UTF-8, and then `%` as well.
 */
export function encodeHeaderValue(value: string): string {
  if (PLAIN.test(value)) return value;
  return value.toWellFormed().replaceAll(NOT_PLAIN, encodeURIComponent);
}

function push(headers: string[], name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') headers.push(name, encodeHeaderValue(value));
}
