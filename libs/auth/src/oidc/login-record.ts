import { hash } from 'node:crypto';
import { z } from 'zod';

/** Contract §3: how long somebody may take to sign in at the provider. */
export const LOGIN_STATE_TTL_MS = 10 * 60_000;

const loginRecordSchema = z.object({
  nonce: z.string(),
  codeVerifier: z.string(),
  /** Where the browser goes when all is done: a URL of an allowed origin. */
  returnTo: z.string(),
  /** {@link fingerprint} of the secret in the browser's cookie. */
  browser: z.string(),
});

/** What the callback has to know of the sign-in that it ends. Kept sealed, under the fingerprint of its `state`. */
export type LoginRecord = z.infer<typeof loginRecordSchema>;

/** Reads what was kept by `JSON.stringify`. */
export function parseLoginRecord(text: string): LoginRecord {
  return loginRecordSchema.parse(JSON.parse(text));
}

/** SHA-256 as base64url, of a value that is random already: kept in its place, it tells nobody what it was. */
export function fingerprint(value: string): string {
  return hash('sha256', value, 'base64url');
}
