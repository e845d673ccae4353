import type { Notice } from '#common';

/** A notice on its way. */
export interface SentNotice extends Notice {
  /** The same on every channel, and when it is sent again. */
  readonly id: string;
  readonly createdAt: Date;
}

/** One way to the operator. */
export interface Channel {
  readonly name: string;
  /** Resolves once the notice is somebody else's to deliver, or rejects, within ten seconds or so. @throws ChannelError */
  deliver(notice: SentNotice): Promise<void>;
}

/** Why a notice was not taken. Its message is for the log: neither URL nor answer is in it, which may hold secrets. */
export class ChannelError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ChannelError';
  }
}
