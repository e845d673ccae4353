import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SubscriptionFigures } from '#common';
import { AppConfig } from '#config';

/** How many subscriptions there are, for the operator's dashboard. */
@Injectable()
export class AccountFigures extends SubscriptionFigures {
  constructor(
    private readonly dataSource: DataSource,
    private readonly config: AppConfig,
  ) {
    super();
  }

  override async byStatus(): Promise<Readonly<Record<string, number>> | null> {
    if (this.config.billing.stripe === null) return null;
    const rows = await this.dataSource.query<readonly { readonly status: string; readonly count: number }[]>(
      `SELECT status, count(*)::integer AS count FROM billing_account WHERE status <> 'none' GROUP BY status`,
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }
}
