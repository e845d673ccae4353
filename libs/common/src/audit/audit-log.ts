/** What something was, or is now, in plain JSON. Never a secret: a password, a key, the value of a slice's variable. */
export type AuditedFacts = Readonly<Record<string, unknown>>;

/** One thing that somebody did. */
export interface AuditedAction {
  /** `<area>.<verb>`, such as `user.change`. Part of the public contract, as an error code is. */
  readonly action: `${string}.${string}`;
  /** What it was done to: `slice` and its id, say. */
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: AuditedFacts | null;
  readonly after?: AuditedFacts | null;
}

/**
 * Port: the record of what operators do. Who did it, from where, and in which request is known from the context of the
 * call (`actingAs`), so that nobody has to hand it on.
 */
export abstract class AuditLog {
  /**
   * Writes an entry. Called within a transaction of the database library (`Transactions.run`) it is part of that
   * transaction, so that there is no change without its entry, and no entry without its change.
   */
  abstract record(action: AuditedAction): Promise<void>;
}
