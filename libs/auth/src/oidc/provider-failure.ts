import { AuthError, errorCode } from '#common';

/**
 * - `grant_refused`: the provider does not honour this code or refresh token (RFC 6749 §5.2)
 * - `token_rejected`: it does not accept the access token (RFC 6750 §3.1)
 * - `id_token`: what it says of the user does not hold
 * - `unavailable`: anything else, from a timeout to a client secret it does not know: all its users are concerned
 */
export type ProviderFailureKind = 'grant_refused' | 'token_rejected' | 'id_token' | 'unavailable';

/**
 * Something went wrong between us and the provider. The message is for the log: it names the step and the reason, and
 * holds no code, token or claim.
 */
export class ProviderFailure extends Error {
  constructor(
    readonly kind: ProviderFailureKind,
    reason: string,
    cause?: unknown,
  ) {
    super(reason, { cause });
    this.name = 'ProviderFailure';
  }
}

/** The answer to a caller whose request needs the provider now. The filter logs it, with the failure as its reason. */
export function providerFailed(failure: ProviderFailure): AuthError {
  const message =
    failure.kind === 'id_token'
      ? 'The answer of the identity provider could not be verified. Please sign in again; if it goes on, tell the operator.'
      : 'The identity provider does not answer as it should. Please try again later; if it goes on, tell the operator.';
  return new AuthError('OIDC_PROVIDER_FAILED', message, { cause: failure });
}

/**
 * An error of openid-client or of the network in words. Of what they carry nothing else is taken: it is the provider's
 * answer, tokens and all. A SyntaxError quotes what it could not parse.
 */
export function reasonOf(error: unknown): string {
  const words: string[] = [];
  for (let each = error; each instanceof Error && words.length < 4; each = each.cause) {
    if (each instanceof SyntaxError) break;
    const code = errorCode(each);
    words.push(code === undefined ? each.message : `${each.message} (${code})`);
  }
  return words.length === 0 ? 'unknown error' : words.join(': ');
}

/** Runs what needs the provider for its answer, and turns a {@link ProviderFailure} into that answer. */
export async function answeringFailures<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof ProviderFailure ? providerFailed(error) : error;
  }
}
