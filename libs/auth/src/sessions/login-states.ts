/**
 * Port: sign-ins by OIDC that have begun, each under the SHA-256 (base64url) of its `state` parameter. What is kept is
 * sealed, so that whoever reads the store can't finish a sign-in. Every method throws what its driver throws when the
 * store can't be reached.
 */
export abstract class LoginStates {
  /** Keeps what the callback needs to finish the sign-in. */
  abstract put(stateHash: string, record: string, ttlMs: number): Promise<void>;

  /** Takes a record out: of any number of callers at once one gets it. Null when it is unknown, taken or expired. */
  abstract take(stateHash: string): Promise<string | null>;

  /**
   * Deletes what has expired.
   * @returns how many that were
   */
  abstract sweep(): Promise<number>;
}

/** The context under which a record is sealed (`SecretBox`). */
export function loginStateContext(stateHash: string): string {
  return `login-state:${stateHash}`;
}
