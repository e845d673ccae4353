import { decodeJwt } from 'jose';
import { z } from 'zod';
import type { ProviderTokens } from '../sessions/provider-tokens.js';

const claimsSchema = z.object({ auth_time: z.number() });

/**
 * When the provider authenticated the user, in milliseconds since the epoch (OpenID Connect Core §2, `auth_time`): long
 * before the sign-in here, where the browser was signed in at the provider already. A refresh does not change it (§12.2).
 * @returns null when the provider does not say
 */
export function authenticatedAtMs({ idToken }: ProviderTokens): number | null {
  if (idToken === null) return null;
  // Its checks were passed when it came; since then it lay sealed.
  const claims = claimsSchema.safeParse(decodeJwt(idToken));
  return claims.success ? claims.data.auth_time * 1000 : null;
}
