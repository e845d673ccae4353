import { Injectable } from '@nestjs/common';
import { AppConfig } from '#config';
import { ControlConnection } from '#database';
import { CustomerAccess } from '#proxy';
import { BillingAccounts } from '../accounts/billing-accounts.js';
import { Consequences } from '../accounts/consequences.js';
import { NEVER_SUBSCRIBED } from '../entitlement/entitlement.js';

/** Tells the edge who may use the slice, and until when; it keeps that with the session. */
@Injectable()
export class PaidAccess extends CustomerAccess {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly consequences: Consequences,
    private readonly control: ControlConnection,
    private readonly config: AppConfig,
  ) {
    super();
  }

  override async openUntil(userId: string): Promise<number | null> {
    if (this.config.billing.stripe === null) return Infinity;
    const account = (await this.accounts.find(userId)) ?? NEVER_SUBSCRIBED;
    const { entitled, until } = this.consequences.entitlement(account);
    return entitled ? until : null;
  }

  override async onChange(listener: (userId: string) => void): Promise<void> {
    await this.control.listen('billing_changed', listener);
  }
}
