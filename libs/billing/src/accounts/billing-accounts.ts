import { Injectable } from '@nestjs/common';
import { In, IsNull, LessThanOrEqual, type Repository } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { BillingAccount, Transactions, User } from '#database';

/** Whom a mail goes to. */
export type Recipient = Pick<User, 'id' | 'email' | 'name'>;

/** The accounts of billing. Within a transaction each method is part of it. */
@Injectable()
export class BillingAccounts {
  constructor(private readonly transactions: Transactions) {}

  find(userId: string): Promise<BillingAccount | null> {
    return this.accounts.findOneBy({ userId });
  }

  findByUsers(userIds: readonly string[]): Promise<BillingAccount[]> {
    return this.accounts.findBy({ userId: In(userIds) });
  }

  findByCustomer(customerId: string): Promise<BillingAccount | null> {
    return this.accounts.findOneBy({ customerId });
  }

  findByCustomers(customerIds: readonly string[]): Promise<BillingAccount[]> {
    return this.accounts
      .createQueryBuilder('account')
      .where('account.customerId = ANY(:customerIds)', { customerIds: [...customerIds] })
      .getMany();
  }

  /** Those for whom time alone has brought something, the longest due first. */
  async due(now: Date, limit: number): Promise<string[]> {
    const due = await this.accounts.find({
      select: { userId: true },
      where: { nextStepAt: LessThanOrEqual(now) },
      order: { nextStepAt: 'ASC' },
      take: limit,
    });
    return due.map(({ userId }) => userId);
  }

  /** The account, made where there was none. @throws QueryFailedError when there is no such user */
  async ensure(userId: string): Promise<BillingAccount> {
    await this.accounts.createQueryBuilder().insert().values({ userId }).orIgnore().execute();
    return this.accounts.findOneByOrFail({ userId });
  }

  /** The account, which nobody else changes until the transaction ends. */
  lock(userId: string): Promise<BillingAccount | null> {
    return this.accounts.findOne({ where: { userId }, lock: { mode: 'pessimistic_write' } });
  }

  async update(userId: string, change: QueryDeepPartialEntity<BillingAccount>): Promise<void> {
    await this.accounts.update({ userId }, change);
  }

  /**
   * Notes that a customer is to be made at Stripe, and with which address. What was noted before stands: by that address
   * it is found, whatever the user's is by now.
   */
  async beginCustomer({
    id: userId,
    email,
  }: Recipient): Promise<{ customerNumber: number; customerEmail: string }> {
    await this.accounts.update({ userId, customerEmail: IsNull() }, { customerEmail: email });
    const { customerNumber, customerEmail } = await this.accounts.findOneByOrFail({ userId });
    return { customerNumber, customerEmail: customerEmail ?? email };
  }

  /**
   * The next request for a customer is another one than that of this number.
   * @param email under which one may have been made; null: nothing was
   */
  async nextCustomer(userId: string, number: number, email: string | null): Promise<void> {
    await this.accounts.update(
      { userId, customerNumber: number, customerId: IsNull() },
      { customerNumber: number + 1, customerEmail: email },
    );
  }

  /**
   * Notes whom Stripe takes the user for, unless that is known.
   * @returns whether it was news
   */
  async link(userId: string, customerId: string): Promise<boolean> {
    const { affected } = await this.accounts.update({ userId, customerId: IsNull() }, { customerId });
    return affected === 1;
  }

  /** Null when the user is gone, or has deleted the account: there is no address left. */
  recipient(userId: string): Promise<Recipient | null> {
    return this.transactions.manager.findOne(User, {
      select: { id: true, email: true, name: true },
      where: { id: userId, deletedAt: IsNull() },
    });
  }

  private get accounts(): Repository<BillingAccount> {
    return this.transactions.manager.getRepository(BillingAccount);
  }
}
