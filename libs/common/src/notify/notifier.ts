/** Something the operator should hear of. */
export interface Notice {
  /** One line. */
  readonly title: string;
  /** Plain text. Without a secret: it goes to services of others. */
  readonly body: string;
  readonly type: 'info' | 'success' | 'warning' | 'failure';
}

/** Port: notices to the operator. Provided by the monitor library. */
export abstract class Notifier {
  /**
   * Takes a notice to be sent soon, on every channel that is set up. Called within a transaction of the database library
   * (`Transactions.run`) it is part of that transaction. Resolves when the notice is kept.
   */
  abstract notify(notice: Notice): Promise<void>;
}
