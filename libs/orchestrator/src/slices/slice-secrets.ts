import { Injectable } from '@nestjs/common';
import { SecretBox } from '#common';
import { AppConfig } from '#config';
import type { Slice } from '#database';

/** What of a slice is stored sealed: the operator's variables and the password of its database role. */
@Injectable()
export class SliceSecrets {
  private readonly passwordRoot: SecretBox;

  constructor(
    private readonly box: SecretBox,
    config: AppConfig,
  ) {
    const root = config.slices.databasePasswordRoot;
    this.passwordRoot = root === null ? box : new SecretBox(root);
  }

  sealEnv(sliceId: number, env: Readonly<Record<string, string>>): Buffer {
    return this.box.seal(JSON.stringify(env), `slice:${sliceId}:env`);
  }

  openEnv(slice: Slice): Record<string, string> {
    if (slice.envSealed === null) return {};
    const env: Record<string, string> = JSON.parse(this.box.open(slice.envSealed, `slice:${slice.id}:env`));
    return env;
  }

  /**
   * A password for a slice that has none yet. It is derived once and then stored, so that rotating a secret later
   * changes no slice's password.
   */
  newDatabasePassword(sliceId: number): { password: string; sealed: Buffer } {
    const password = this.passwordRoot.mac('slice-database-password', String(sliceId)).toString('base64url');
    return { password, sealed: this.box.seal(password, `slice:${sliceId}:db`) };
  }

  openDatabasePassword(slice: Pick<Slice, 'id' | 'databasePasswordSealed'>): string | null {
    if (slice.databasePasswordSealed === null) return null;
    return this.box.open(slice.databasePasswordSealed, `slice:${slice.id}:db`);
  }
}
