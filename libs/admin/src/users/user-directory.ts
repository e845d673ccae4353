import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, Like } from 'typeorm';
import { publicUser, SubscriptionReader } from '#auth';
import { AdminError } from '#common';
import { User } from '#database';
import { SliceDirectory } from '#orchestrator';
import { literally } from '../fields.js';
import type { UsersPage, UsersQuery, UserView } from './schemas.js';

/** The accounts with their slices and subscriptions, as the operator sees them. */
@Injectable()
export class UserDirectory {
  constructor(
    private readonly dataSource: DataSource,
    private readonly slices: SliceDirectory,
    private readonly subscriptions: SubscriptionReader,
  ) {}

  /** One page, the oldest accounts first. */
  async page({ page, pageSize, search }: UsersQuery): Promise<UsersPage> {
    const [users, total] = await this.dataSource.getRepository(User).findAndCount({
      where: {
        deletedAt: IsNull(),
        ...(search === undefined ? {} : { email: Like(`%${literally(search)}%`) }),
      },
      order: { createdAt: 'ASC', id: 'ASC' },
      skip: (page - 1) * pageSize,
      take: pageSize,
    });
    return { users: await this.viewsOf(users), total, page, pageSize };
  }

  /** @throws AdminError USER_NOT_FOUND */
  async get(id: string): Promise<UserView> {
    const user = await this.dataSource.getRepository(User).findOneBy({ id, deletedAt: IsNull() });
    const [view] = user === null ? [] : await this.viewsOf([user]);
    if (view === undefined) throw userNotFound();
    return view;
  }

  /** One query for all slices of a page, and one for all subscriptions. */
  private async viewsOf(users: readonly User[]): Promise<UserView[]> {
    const ids = users.map(({ id }) => id);
    const [slices, subscriptions] = await Promise.all([
      this.slices.ownedBy(ids),
      this.subscriptions.subscriptionsOf(ids),
    ]);
    return users.map((user) => ({
      ...publicUser(user),
      disabled: user.disabledAt !== null,
      createdAt: user.createdAt.toISOString(),
      slice: slices.get(user.id) ?? null,
      subscription: subscriptions.get(user.id) ?? null,
    }));
  }
}

export function userNotFound(): AdminError {
  return new AdminError('USER_NOT_FOUND', 'There is no user with this id. GET /admin/users lists them.');
}
