import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Slice, User } from '#database';
import { sliceView } from '#orchestrator';
import { literally } from '../fields.js';
import type { SlicesPage, SlicesQuery } from './schemas.js';

/** The live slices with their owners, as the operator looks through them. */
@Injectable()
export class SliceListing {
  constructor(private readonly dataSource: DataSource) {}

  /** One page, the oldest slices first. */
  async page({ page, pageSize, status, search }: SlicesQuery): Promise<SlicesPage> {
    const select = this.dataSource
      .getRepository(Slice)
      .createQueryBuilder('slice')
      .leftJoinAndSelect('slice.owner', 'owner')
      .where('slice.destroyed_at IS NULL')
      .orderBy('slice.id', 'ASC')
      .skip((page - 1) * pageSize)
      .take(pageSize);
    if (status !== undefined) select.andWhere('slice.status = :status', { status });
    if (search !== undefined) {
      const like = `%${literally(search)}%`;
      select.andWhere('(slice.name LIKE :like OR owner.email LIKE :like OR slice.id::text = :search)', {
        like,
        search,
      });
    }
    const [slices, total] = await select.getManyAndCount();
    return {
      slices: slices.map((slice) => ({ ...administered(slice, slice.owner ?? null) })),
      total,
      page,
      pageSize,
    };
  }
}

export function administered(slice: Slice, owner: User | null): SlicesPage['slices'][number] {
  const { desiredState: desired, claimable } = slice;
  return { ...sliceView(slice), ownerEmail: owner?.email ?? null, desired, claimable };
}
