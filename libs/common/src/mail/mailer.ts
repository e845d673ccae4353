/** A link that the reader is to follow; shown as a button where there are buttons, and in full where there are none. */
export interface MailLink {
  readonly label: string;
  readonly url: string;
}

/** A mail to one person. Plain text; the mailer lays it out, and escapes it, for whoever reads HTML. */
export interface Mail {
  /** The bare address. */
  readonly to: string;
  /** One line. */
  readonly subject: string;
  /** Paragraphs and links, from top to bottom. */
  readonly content: ReadonlyArray<string | MailLink>;
}

/** Port: mail to customers and operators. Provided by the mail library. */
export abstract class Mailer {
  /**
   * Takes a mail to be sent soon. Called within a transaction of the database library (`Transactions.run`) it is part
   * of that transaction: the mail goes out when it is committed, and never otherwise. Resolves when the mail is kept;
   * that it arrives nobody can promise.
   * @throws TypeError when the address or the subject holds a control character
   */
  abstract send(mail: Mail): Promise<void>;
}
