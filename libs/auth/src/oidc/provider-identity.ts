import type { IDToken, UserInfoResponse } from 'openid-client';
import { emailSchema } from '../accounts/schemas.js';

const MAX_NAME = 200;

/** Whom the provider signed in. */
export interface ProviderIdentity {
  /** With {@link subject} the name of one account for ever; an address may change hands, this does not. */
  readonly issuer: string;
  readonly subject: string;
  /** Normalised. */
  readonly email: string;
  /** Whether the provider says that the address is theirs. */
  readonly emailVerified: boolean;
  readonly name: string | null;
}

/** Whether the ID token says enough; many providers tell the address at the userinfo endpoint only (Core §5.4). */
export function tellsEmail({ email, email_verified: verified }: IDToken): boolean {
  return email !== undefined && verified !== undefined;
}

/**
 * Puts together what the ID token and the userinfo endpoint say.
 * @returns null when neither has an e-mail address
 */
export function identityFrom(claims: IDToken, userInfo: UserInfoResponse | null): ProviderIdentity | null {
  // The address and what is said of it have to come from one source.
  const source = userInfo?.email === undefined ? claims : userInfo;
  const email = emailSchema.safeParse(source.email);
  if (!email.success) return null;
  return {
    issuer: claims.iss,
    subject: claims.sub,
    email: email.data,
    // Nothing but the boolean will do: `"false"` is true as well, to whoever is not careful.
    emailVerified: source.email_verified === true,
    name: nameFrom(userInfo?.name ?? claims.name),
  };
}

/** As registration takes it: without what has no place in a header, a log or a terminal. */
function nameFrom(claim: unknown): string | null {
  if (typeof claim !== 'string' || !claim.isWellFormed()) return null;
  const name = claim.replaceAll(/\p{Cc}/gu, ' ').trim();
  return name === '' ? null : name.slice(0, MAX_NAME).toWellFormed();
}
