import { DataSource } from 'typeorm';
import { PostgresSessionStore, SessionRevocations, SessionStore, type SessionPrincipal } from '#auth';
import { Clock, SecretBox } from '#common';
import { AppConfig } from '#config';
import { Gateway, type GatewayOptions } from './gateway.js';

/** A store whose look-ups can be held between the read and its answer, as a slow network does. */
export class HeldSessions extends PostgresSessionStore {
  reads = 0;
  private leave: Promise<void> = Promise.resolve();
  private letGo = (): void => undefined;
  private announce = (): void => undefined;

  /** From now on look-ups that have read wait for {@link release}. Gives what resolves when the first does. */
  hold(): Promise<void> {
    this.leave = new Promise((resolve) => (this.letGo = resolve));
    return new Promise((resolve) => (this.announce = resolve));
  }

  release(): void {
    this.letGo();
    this.leave = Promise.resolve();
  }

  override async find(hash: string): Promise<SessionPrincipal | null> {
    this.reads++;
    const found = await super.find(hash);
    this.announce();
    await this.leave;
    return found;
  }
}

/** A gateway on such a store. */
export async function startWithHeldSessions(
  options: GatewayOptions,
): Promise<{ gateway: Gateway; sessions: HeldSessions }> {
  let sessions: HeldSessions | undefined;
  const gateway = await Gateway.start({
    ...options,
    override: (builder) =>
      (options.override?.(builder) ?? builder).overrideProvider(SessionStore).useFactory({
        inject: [DataSource, Clock, SessionRevocations, AppConfig, SecretBox],
        factory: (...parts: ConstructorParameters<typeof HeldSessions>) =>
          (sessions = new HeldSessions(...parts)),
      }),
  });
  if (sessions === undefined) throw new Error('The gateway was made without its session store');
  return { gateway, sessions };
}
