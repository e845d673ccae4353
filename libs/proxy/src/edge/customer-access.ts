/** Port: whether customers may use their slices. Provided by billing. Asked on a cache miss only. */
export abstract class CustomerAccess {
  /**
   * Until when, in milliseconds since the epoch, as long as {@link onChange} tells nothing else: Infinity where time
   * alone does not end it. Null: not now.
   */
  abstract openUntil(userId: string): Promise<number | null>;

  /** Calls back with the customer whom something has changed for, on every replica. Resolves when it is in force. */
  abstract onChange(listener: (userId: string) => void): Promise<void>;
}
