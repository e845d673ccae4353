import { errorCode } from '#common';

/** What the server says of the mail itself, rather than of the connection or the sign-in (nodemailer/dist/esm/errors.js). */
const ABOUT_THE_MAIL: ReadonlySet<string> = new Set(['EENVELOPE', 'EMESSAGE']);

/**
 * Whether another try would fail as well: the server refuses this mail with 5xx (RFC 5321 §4.2.1). A server that can't
 * be reached, or that refuses our password, may be put right by its operator.
 */
export function isPermanent(error: unknown): boolean {
  const status = typeof error === 'object' && error !== null && 'responseCode' in error && error.responseCode;
  return ABOUT_THE_MAIL.has(errorCode(error) ?? '') && typeof status === 'number' && status >= 500;
}
