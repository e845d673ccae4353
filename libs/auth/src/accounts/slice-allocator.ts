/** A customer's slice as that customer sees it. */
export interface CustomerSlice {
  readonly id: number;
  readonly name: string;
  readonly status: 'provisioning' | 'active' | 'stopped' | 'failed' | 'destroying';
  /** What went wrong, when it failed. */
  readonly error?: string;
}

/** Port: how a customer comes by a slice. Provided by the orchestrator. */
export abstract class SliceAllocator {
  /**
   * Gives the user a slice: one that is ready and nobody's, else one that is started in the background where that is
   * configured (`SLICE_AUTO_PROVISION`). Whoever has a slice is given that one.
   * @returns the slice, active or not yet; null when there is none to be had
   */
  abstract allocate(user: { readonly id: string; readonly email: string }): Promise<CustomerSlice | null>;

  /**
   * Stops the user's slice for good: the account ends. Within a transaction of the database library it is part of that.
   * Its data stays for `SLICE_RETENTION_DAYS`.
   */
  abstract retire(userId: string): Promise<void>;

  /** The user's slice, in whatever state; null when there is none. */
  abstract sliceOf(userId: string): Promise<CustomerSlice | null>;
}
