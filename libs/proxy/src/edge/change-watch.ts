import type { Visitor } from './visitor.js';

/** Notes of which users something changed while it was on: what was read of them meanwhile may be out of date. */
export class ChangeWatch implements Disposable {
  private readonly userIds = new Set<string>();
  private readonly signedOutIds = new Set<string>();
  private anything = false;

  /** @param end called when nobody looks at it any more */
  constructor(private readonly end: () => void) {}

  /** The slice of a user changed, or what they have paid for. */
  userChanged(userId: string): void {
    this.userIds.add(userId);
  }

  /** Sessions of a user ended. */
  signedOut(userId: string): void {
    this.userIds.add(userId);
    this.signedOutIds.add(userId);
  }

  /** A message may have been lost: nobody knows of whom. */
  anythingChanged(): void {
    this.anything = true;
  }

  /** Whether what was read of this visitor may be out of date. */
  concerns(visitor: Visitor): boolean {
    return this.concernsUser(visitor.principal.user.id);
  }

  /** Whether what was read of this account may be. */
  concernsUser(userId: string): boolean {
    return this.anything || this.userIds.has(userId);
  }

  /** Whether a session of this visitor's may have ended. */
  concernsSessionsOf(visitor: Visitor): boolean {
    return this.anything || this.signedOutIds.has(visitor.principal.user.id);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
