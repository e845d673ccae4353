import { z } from 'zod';
import type { SecretBox } from '#common';

/** What the OIDC provider gave with a sign-in (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3). */
export interface ProviderTokens {
  readonly accessToken: string;
  /** Null where the provider gives none: then the session ends for the provider when the access token does. */
  readonly refreshToken: string | null;
  readonly idToken: string | null;
  /** When the access token came, in milliseconds since the epoch: what is near its end depends on how long it lives. */
  readonly obtainedAtMs: number;
  /** Milliseconds since the epoch; null where the provider does not say. */
  readonly accessExpiresAtMs: number | null;
  /** As granted, separated by spaces. */
  readonly scope: string | null;
}

const providerTokensSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  idToken: z.string().nullable(),
  obtainedAtMs: z.number(),
  accessExpiresAtMs: z.number().nullable(),
  scope: z.string().nullable(),
});

/** Seals the tokens of one session; whatever the store, they lie there only so, and are of no use beside another. */
export function sealTokens(box: SecretBox, sessionHash: string, tokens: ProviderTokens): Buffer {
  return box.seal(JSON.stringify(tokens), contextOf(sessionHash));
}

/**
 * Opens what {@link sealTokens} made.
 * @throws Error when it was changed, moved to another session, or sealed under another key
 */
export function openTokens(box: SecretBox, sessionHash: string, sealed: Buffer): ProviderTokens {
  return providerTokensSchema.parse(JSON.parse(box.open(sealed, contextOf(sessionHash))));
}

function contextOf(sessionHash: string): string {
  return `session:${sessionHash}:tokens`;
}
