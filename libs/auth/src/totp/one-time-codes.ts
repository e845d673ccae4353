import { generateSecret, generateURI, verifySync } from 'otplib';

/** RFC 6238 §5.2's default, and the only one that every authenticator app knows; so are SHA-1 and six digits. */
const STEP_SECONDS = 30;

/** RFC 4226 §4 asks for 160 bits. */
const SECRET_BYTES = 20;

const CODE = /^\d{6}$/;

/** A new secret to share with an authenticator app, in base32. */
export function newTotpSecret(): string {
  return generateSecret({ length: SECRET_BYTES });
}

/**
 * The URL that an authenticator app scans (Key Uri Format of Google Authenticator).
 * @param issuer whom the account is with, as the app shows it; without a colon, which would end it
 */
export function otpauthUrl(secret: string, issuer: string, account: string): string {
  return generateURI({ issuer, label: account, secret });
}

/** A code as people type it, without the blanks that apps show in it. */
export function normalizeCode(typed: string): string {
  return typed.replaceAll(/\s/g, '');
}

/** Whether this has the form of an authenticator app's code; anything else is taken for a recovery code. */
export function isOneTimeCode(code: string): boolean {
  return CODE.test(code);
}

/**
 * The time step that a code belongs to; null when it is wrong. The step before and the one after count too, since
 * neither clocks nor typing are exact (RFC 6238 §5.2, §6). Whether it was used before is for the caller to find out.
 */
export function stepOfCode(code: string, secret: string, nowMs: number): number | null {
  if (!isOneTimeCode(code)) return null;
  const epoch = Math.floor(nowMs / 1000);
  const result = verifySync({ secret, token: code, epoch, epochTolerance: STEP_SECONDS });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}
