import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, Not, type EntityManager } from 'typeorm';
import { Clock, SecretBox } from '#common';
import { RecoveryCode, User } from '#database';

/** What an account has of a second factor. */
export interface TotpFactor {
  /** Shared with the authenticator app, base32. */
  readonly secret: string;
  /** As it is stored: which enrolment this is. */
  readonly sealed: Buffer;
  /** Whether a code has shown that the app has the secret; until then it is asked for nowhere. */
  readonly confirmed: boolean;
}

/** An enrolment that a first code has shown to be in an authenticator app. */
export interface Confirmed {
  readonly factor: TotpFactor;
  /** Of that code, which is used up by it. */
  readonly step: number;
  /** Of the account's new recovery codes. */
  readonly recoveryHashes: readonly Buffer[];
}

const NO_FACTOR = { totpSecretSealed: null, totpConfirmedAt: null, totpLastStep: null } as const;

/**
 * The second factors in the database. What must happen once (a code is used, an enrolment is confirmed) is one
 * statement that the database decides: of any number of requests, over any number of replicas, one wins.
 */
@Injectable()
export class TotpFactors {
  constructor(
    private readonly dataSource: DataSource,
    private readonly box: SecretBox,
    private readonly clock: Clock,
  ) {}

  /** The factor of an account, confirmed or not; null when it has none. */
  async of(userId: string): Promise<TotpFactor | null> {
    const user = await this.dataSource.getRepository(User).findOneBy({ id: userId });
    const sealed = user?.totpSecretSealed ?? null;
    if (user === null || sealed === null) return null;
    const secret = this.box.open(sealed, contextOf(userId));
    return { secret, sealed, confirmed: user.totpConfirmedAt !== null };
  }

  /**
   * Lays down a secret that is yet to be confirmed, in the place of an earlier one.
   * @returns false when the account has a confirmed one
   */
  async begin(userId: string, secret: string): Promise<boolean> {
    const sealed = this.box.seal(secret, contextOf(userId));
    const { affected } = await this.dataSource
      .getRepository(User)
      .update({ id: userId, totpConfirmedAt: IsNull() }, { totpSecretSealed: sealed, totpLastStep: null });
    return affected === 1;
  }

  /**
   * Turns the factor on, unless that was done just now or another secret was laid down meanwhile.
   * @param manager of the transaction this is part of
   */
  async confirm(
    manager: EntityManager,
    userId: string,
    { factor, step, recoveryHashes }: Confirmed,
  ): Promise<boolean> {
    const { affected } = await manager
      .getRepository(User)
      .update(
        { id: userId, totpConfirmedAt: IsNull(), totpSecretSealed: factor.sealed },
        { totpConfirmedAt: this.clock.now(), totpLastStep: step },
      );
    if (affected !== 1) return false;
    const codes = manager.getRepository(RecoveryCode);
    await codes.delete({ userId });
    await codes.insert(recoveryHashes.map((codeHash) => ({ userId, codeHash })));
    return true;
  }

  /** Uses up a time step, and with it those before; false when it was used up already (RFC 6238 §5.2). */
  async takeStep(userId: string, step: number): Promise<boolean> {
    const { affected } = await this.dataSource
      .createQueryBuilder()
      .update(User)
      .set({ totpLastStep: step })
      .where('id = :userId', { userId })
      .andWhere('totp_confirmed_at IS NOT NULL')
      .andWhere('(totp_last_step IS NULL OR totp_last_step < :step)', { step })
      .execute();
    return affected === 1;
  }

  /** Uses up a recovery code; false when the account has no such one (any more). */
  async takeRecoveryCode(userId: string, codeHash: Buffer): Promise<boolean> {
    const { affected } = await this.dataSource.getRepository(RecoveryCode).delete({ userId, codeHash });
    return affected === 1;
  }

  /**
   * Turns the factor off as it was found, and no other: one that was confirmed or laid down meanwhile stays.
   * @returns whether it did
   */
  async removeThis(userId: string, { sealed, confirmed }: TotpFactor): Promise<boolean> {
    const found = {
      id: userId,
      totpSecretSealed: sealed,
      totpConfirmedAt: confirmed ? Not(IsNull()) : IsNull(),
    };
    return this.dataSource.transaction(async (manager) => {
      const { affected } = await manager.getRepository(User).update(found, NO_FACTOR);
      if (affected !== 1) return false;
      await manager.getRepository(RecoveryCode).delete({ userId });
      return true;
    });
  }

  /**
   * Turns whatever factor there is off, with its recovery codes.
   * @param manager of the transaction this is part of
   * @returns whether there was one
   */
  async remove(userId: string, manager: EntityManager): Promise<boolean> {
    const enrolled = { id: userId, totpSecretSealed: Not(IsNull()) };
    const { affected } = await manager.getRepository(User).update(enrolled, NO_FACTOR);
    await manager.getRepository(RecoveryCode).delete({ userId });
    return affected === 1;
  }
}

/** What a secret is sealed for: it opens in this account's row and in no other. */
function contextOf(userId: string): string {
  return `user:${userId}:totp`;
}
