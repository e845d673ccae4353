import { createHash } from 'node:crypto';
import { parseOptions as argon2Options, verify as verifyArgon2 } from '@node-rs/argon2';
import { compare as verifyBcrypt } from 'bcrypt';
import { assertNever, sameSecret } from '#common';

/**
 * A hash that costs more than this was not made for sign-ins: 2^15 rounds of bcrypt take three seconds, and 256 MiB
 * are what a dozen of our own hashes take. It matches nothing, so that no row can stop the gateway.
 */
const BCRYPT_MAX_COST = 15;
const ARGON2_MAX_KIB = 262_144;
const ARGON2_MAX_PASSES = 10;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const ARGON2 = /^\$argon2(?:id|i|d)\$/;
const S3_SHA256 = /^\$s3-sha256\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]{43})$/;

/** How a stored hash was made; `unknown` for what can't be verified here. */
export type HashKind = 'argon2' | 'bcrypt' | 's3-sha256' | 'unknown';

/** Tells the kind of a stored hash. One that would cost too much to verify is of an unknown kind. */
export function kindOfHash(stored: string): HashKind {
  const cost = BCRYPT.exec(stored)?.[1];
  if (cost !== undefined) return Number(cost) >= 4 && Number(cost) <= BCRYPT_MAX_COST ? 'bcrypt' : 'unknown';
  if (S3_SHA256.test(stored)) return 's3-sha256';
  return ARGON2.test(stored) && isAffordableArgon2(stored) ? 'argon2' : 'unknown';
}

/**
 * The form in which the accounts of S3 are stored: `$s3-sha256$<salt>$<hash>`, both base64 without padding, as in the
 * PHC string format. There it is `hash = base64(sha256(salt + password))`, the salt being a text.
 * @param hash base64 of 32 bytes, with or without padding
 * @returns null when the hash is none
 */
export function s3HashOf(salt: string, hash: string): string | null {
  const stored = `$s3-sha256$${unpadded(Buffer.from(salt).toString('base64'))}$${unpadded(hash)}`;
  return S3_SHA256.test(stored) ? stored : null;
}

/** Whether the password is the one that was hashed, in whichever known way. Never throws. */
export async function verifyHash(password: string, stored: string): Promise<boolean> {
  const kind = kindOfHash(stored);
  switch (kind) {
    case 'argon2':
      return verifyArgon2(stored, password).catch(() => false);
    case 'bcrypt':
      // crypt_blowfish's `$2y$` and OpenBSD's `$2b$` are one algorithm; the library knows the second name.
      return verifyBcrypt(password, stored.replace(/^\$2y/, '$2b')).catch(() => false);
    case 's3-sha256':
      return verifyS3(password, stored);
    case 'unknown':
      return false;
    default:
      return assertNever(kind);
  }
}

function verifyS3(password: string, stored: string): boolean {
  const [, salt = '', hash = ''] = S3_SHA256.exec(stored) ?? [];
  const digest = createHash('sha256').update(Buffer.from(salt, 'base64')).update(password).digest('base64');
  return sameSecret(unpadded(digest), hash);
}

function isAffordableArgon2(stored: string): boolean {
  try {
    const { memoryCost, timeCost } = argon2Options(stored);
    return memoryCost <= ARGON2_MAX_KIB && timeCost <= ARGON2_MAX_PASSES;
  } catch {
    return false;
  }
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, '');
}
