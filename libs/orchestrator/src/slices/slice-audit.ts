import { Injectable } from '@nestjs/common';
import { type AuditedFacts, AuditLog } from '#common';
import { type Slice, Transactions } from '#database';
import type { SliceChange } from './slice-request.js';

/** What is told of slices in the audit. */
@Injectable()
export class SliceAudit {
  constructor(
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /** Within the transaction that made it. */
  async made(
    slice: Slice,
    asked: AuditedFacts,
    action: `slice.${string}` = 'slice.provision',
  ): Promise<void> {
    await this.audit.record({ action, target: target(slice), after: { ...factsOf(slice), ...asked } });
  }

  /**
   * Makes a change together with its entry.
   * @param change says whether it changed anything; else there is nothing to tell
   */
  changing(
    action: `slice.${string}`,
    slice: Slice,
    wish: AuditedFacts,
    change: () => Promise<boolean>,
  ): Promise<boolean> {
    return this.transactions.run(async () => {
      const changed = await change();
      if (changed)
        await this.audit.record({ action, target: target(slice), before: factsOf(slice), after: wish });
      return changed;
    });
  }
}

/** What was asked for, as it may be kept: of the variables only their names. */
export function wishedFor({ env, ...rest }: SliceChange): AuditedFacts {
  return env === undefined ? rest : { ...rest, env: Object.keys(env) };
}

const target = ({ id }: Slice) => ({ kind: 'slice', id: String(id) });

function factsOf({
  name,
  desiredState: desired,
  status,
  image,
  ownerId,
  memoryBytes,
  cpus,
}: Slice): AuditedFacts {
  return { name, desired, status, image, owner: ownerId, memory: memoryBytes, cpus };
}
