import { createHmac, randomInt } from 'node:crypto';

const CODES = 10;
const GROUPS = 4;
const GROUP_LENGTH = 4;

/** Crockford's base32 in lower case: no letter that is read as a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** What people read into the letters that Crockford's base32 leaves out. */
const MISREAD: Readonly<Record<string, string>> = { o: '0', i: '1', l: '1' };

/** Ten new recovery codes of 80 random bits each, `7k2m-9xqa-…`: they are asked for once in years, and must last. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: CODES }, () => Array.from({ length: GROUPS }, group).join('-'));
}

/**
 * What is stored of a recovery code: a hash keyed with the TOTP secret of the same account. That is kept sealed, so
 * whoever reads the database can't try codes; and unlike `SECRET_KEY` it does not change while the codes live, so they
 * outlast a rotation.
 */
export function hashOfRecoveryCode(typed: string, totpSecret: string): Buffer {
  return createHmac('sha256', totpSecret).update(canonical(typed)).digest();
}

/** However it was typed: in capitals, with or without dashes and blanks, `O` for `0`. */
function canonical(typed: string): string {
  return typed
    .toLowerCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll(/[oil]/g, (letter) => MISREAD[letter] ?? letter);
}

function group(): string {
  return Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
