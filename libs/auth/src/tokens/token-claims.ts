import { z } from 'zod';

/** What opens `/admin`. */
export const ADMIN_SCOPE = 'admin';
export const GUEST_SCOPE = 'guest';

/** Routes whose tokens open every other one as well, in the hands of an admin. */
export const ELEVATED_ROUTES: ReadonlySet<string> = new Set(['core', 'auth']);

/** The claims of a gateway token, as they stand in it. Times are in seconds since the epoch (RFC 7519 §2). */
export const tokenClaimsSchema = z.object({
  /** The admin's address, or `guest`. */
  projectId: z.string(),
  route: z.string(),
  scopes: z.array(z.string()).readonly(),
  environment: z.enum(['production', 'staging']),
  /** Host of the gateway. */
  issuedBy: z.string(),
  iat: z.int(),
  exp: z.int(),
  jti: z.string(),
  /** The admin's account; guests have none. */
  sub: z.uuid().optional(),
  /** The account's `token_generation` when the token was made: it is void once that has moved on. */
  gen: z.int().optional(),
});
export type TokenClaims = z.infer<typeof tokenClaimsSchema>;
