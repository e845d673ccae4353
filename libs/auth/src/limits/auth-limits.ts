/** How often somebody may try. Injected by this class, so that tests can tighten it. */
export class AuthLimits {
  /** Requests of one address to `/auth/*` and `/whoami/me` in {@link windowSeconds}. */
  readonly perAddress: number = 60;
  /** Requests of one address to `/api/apikeys/*` and with API keys in {@link windowSeconds}. */
  readonly apiKeysPerAddress: number = 100;
  /** Requests with one API key in {@link windowSeconds}. */
  readonly perApiKey: number = 100;
  /** Sign-ins to one account from one network in {@link windowSeconds}. */
  readonly loginsPerAccountAndNetwork: number = 10;
  readonly windowSeconds: number = 60;

  /** Sign-ins to one account, from wherever, that are answered without delay. */
  readonly promptLogins: number = 5;
  /** The delay of the first one after those; it doubles with each. */
  readonly firstDelayMs: number = 250;
  /**
   * And ends here. An account is slowed down and never locked: else anybody who knows an address could lock its owner
   * out by failing in their name.
   */
  readonly maxDelayMs: number = 5_000;
  /** After so long without a further attempt begun in it the count starts again. */
  readonly slowDownSeconds: number = 900;

  /** Codes of a second factor tried at one account in {@link slowDownSeconds}. */
  readonly codesPerAccount: number = 10;

  /** @param changed what is not to be as it stands above */
  constructor(changed: Partial<AuthLimits> = {}) {
    Object.assign(this, changed);
  }
}
