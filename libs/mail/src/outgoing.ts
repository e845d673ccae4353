import type { Mail } from '#common';

/** A mail on its way: what was asked for, and what tells one sending of it from another mail. */
export interface Outgoing extends Mail {
  /** Becomes the Message-ID. */
  readonly id: string;
  readonly createdAt: Date;
}

/** Hands a mail over to whoever delivers it. */
export abstract class MailTransport {
  /** Resolves once the mail is somebody else's to deliver. @throws what {@link isPermanent} can tell apart */
  abstract deliver(mail: Outgoing): Promise<void>;
}
