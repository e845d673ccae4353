import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

/**
 * What the database library has opened, and is opening; closed in the opposite order after everybody else is done.
 * Nest calls no shutdown hook when a provider fails: whoever builds an application closes these himself then.
 */
@Injectable()
export class DatabaseResources implements OnApplicationShutdown {
  private readonly closers: (() => Promise<void>)[] = [];
  private closed: Promise<void> | undefined;

  /** @param stop ends the waiting for a database that does not answer: the process is asked to end */
  constructor(readonly stop: AbortSignal = new AbortController().signal) {}

  /**
   * Opens something that {@link close} is to close. What is still being opened then is waited for.
   * @throws what `opening` throws; an Error once all is being closed
   */
  async open<T>(opening: () => Promise<T>, closing: (opened: T) => Promise<void>): Promise<T> {
    if (this.closed !== undefined) throw new Error('The database is being closed.');
    const opened = opening();
    this.closers.push(() => opened.then(closing, () => undefined));
    return opened;
  }

  /** Closes everything, once. @throws the first error, after the rest was closed all the same */
  close(): Promise<void> {
    this.closed ??= this.closeAll();
    return this.closed;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private async closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.closers.toReversed())
      await close().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
