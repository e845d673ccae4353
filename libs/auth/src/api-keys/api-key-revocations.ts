import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ControlConnection } from '#database';

/** The channel of PostgreSQL's NOTIFY; its payload is the id of the key. */
export const API_KEY_REVOKED = 'api_key_revoked';

/** Tells every replica which keys are none any more. Only this is ever told, so a message can let nobody in. */
@Injectable()
export class ApiKeyRevocations implements OnModuleInit, OnModuleDestroy {
  private readonly listeners = new Set<(id: string) => void>();
  private delivered = 0;
  private stopListening: (() => void) | null = null;

  constructor(private readonly control: ControlConnection) {}

  async onModuleInit(): Promise<void> {
    this.stopListening = await this.control.listen(API_KEY_REVOKED, (id) => this.deliver(id));
  }

  onModuleDestroy(): void {
    this.stopListening?.();
  }

  /** Moves with every revocation: whatever was looked up before may be out of date. */
  get epoch(): number {
    return this.delivered;
  }

  /** Calls back at every revocation, sometimes twice at one. */
  subscribe(listener: (id: string) => void): void {
    this.listeners.add(listener);
  }

  /** Tells this replica at once; the NOTIFY to all is part of the statement that revokes. */
  deliver(id: string): void {
    this.delivered++;
    for (const listener of this.listeners) listener(id);
  }
}
