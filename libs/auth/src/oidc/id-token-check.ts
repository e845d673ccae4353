/** The part of an ID token that a check is about (OpenID Connect Core §3.1.3.7). */
export type IdTokenCheck =
  | 'presence'
  | 'alg'
  | 'kid'
  | 'signature'
  | 'iss'
  | 'sub'
  | 'aud'
  | 'azp'
  | 'exp'
  | 'iat'
  | 'nbf'
  | 'nonce'
  | 'auth_time';

const CLAIMS: ReadonlySet<string> = new Set<IdTokenCheck>([
  'iss',
  'sub',
  'aud',
  'azp',
  'exp',
  'iat',
  'nbf',
  'nonce',
  'auth_time',
]);

/** Each with the test of its type; an ID token without one of them is none. `nonce`: we always send one. */
const REQUIRED: ReadonlyArray<readonly [IdTokenCheck, (claim: unknown) => boolean]> = [
  ['aud', (claim) => typeof claim === 'string' || Array.isArray(claim)],
  ['exp', (claim) => typeof claim === 'number'],
  ['iat', (claim) => typeof claim === 'number'],
  ['iss', (claim) => typeof claim === 'string'],
  ['sub', (claim) => typeof claim === 'string'],
  ['nonce', (claim) => typeof claim === 'string'],
];

const KEY_SELECTION_FAILED = 'OAUTH_KEY_SELECTION_FAILED';

/**
 * Which check of the ID token an error of openid-client is about; null when it is about something else. openid-client
 * hands the facts of a failed check along as the innermost cause of its error, and they tell it, not the message.
 */
export function failedCheck(error: unknown): IdTokenCheck | null {
  const { code, facts } = innermost(error);
  if (code === KEY_SELECTION_FAILED) return 'kid';
  if (typeof facts !== 'object' || facts === null) return null;
  if ('claim' in facts && isClaim(facts.claim)) return facts.claim;
  if ('alg' in facts || 'header' in facts) return 'alg';
  if ('signature' in facts) return 'signature';
  if ('claims' in facts) return missingClaim(facts.claims);
  return 'body' in facts && lacksIdToken(facts.body) ? 'presence' : null;
}

/** The innermost error's code, and the facts it carries. */
function innermost(error: unknown): { code: unknown; facts: unknown } {
  let code: unknown;
  let facts: unknown = error;
  while (facts instanceof Error) {
    if ('code' in facts) code = facts.code;
    facts = facts.cause;
  }
  return { code, facts };
}

function isClaim(claim: unknown): claim is IdTokenCheck {
  return typeof claim === 'string' && CLAIMS.has(claim);
}

function missingClaim(claims: unknown): IdTokenCheck | null {
  if (typeof claims !== 'object' || claims === null) return null;
  const found: Readonly<Record<string, unknown>> = { ...claims };
  return REQUIRED.find(([claim, fits]) => !fits(found[claim]))?.[0] ?? null;
}

/** The body of an answer that has everything else; the facts may be a Response as well, which has a `body` too. */
function lacksIdToken(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || !('access_token' in body)) return false;
  return !('id_token' in body && typeof body.id_token === 'string' && body.id_token !== '');
}
