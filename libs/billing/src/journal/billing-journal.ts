/** What billing can do, or be told of. */
export type BillingStepName =
  | 'customer_created'
  | 'customer_deleted'
  | 'status_changed'
  | 'payment_failed'
  | 'payment_action_required'
  | 'dispute_opened'
  | 'second_customer'
  | 'second_subscription'
  | 'notice_of_end'
  | 'notice_of_stop'
  | 'notice_of_removal'
  | 'slice_stopped'
  | 'slice_started'
  | 'slice_removed'
  | 'slice_given';

export interface JournalEntry {
  /** Null where no customer of ours is concerned. */
  readonly userId: string | null;
  readonly step: BillingStepName;
  /** What led to it: an event's id, or a word such as `sync`. */
  readonly cause: string;
  /** Names what is to happen once for a customer, however often it is come by. */
  readonly key?: string;
  readonly detail?: Readonly<Record<string, string | number | null>>;
}

/** Port: keeps the trail of what billing did. */
export abstract class BillingJournal {
  /**
   * Notes a step, in the transaction under way: the trail tells of it when it was done, and only then.
   * @returns false when its key was noted before, and nothing is to be done
   */
  abstract note(entry: JournalEntry): Promise<boolean>;
}
