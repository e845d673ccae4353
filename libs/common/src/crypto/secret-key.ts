import { createHmac, hkdfSync } from 'node:crypto';

const ID_BYTES = 4;

/** A `SECRET_KEY` with the keys that are derived from it. */
export class SecretKey {
  /** Names it, and says nothing of it. */
  readonly id: Buffer;
  /** Of AES-256. */
  readonly sealing: Buffer;
  /** Purposes are constants of the program, so there are few. */
  private readonly macKeys = new Map<string, Buffer>();

  constructor(private readonly secret: string) {
    this.id = this.derive('id', ID_BYTES);
    this.sealing = this.derive('seal');
  }

  /** HMAC-SHA-256 under a key for this purpose alone. */
  mac(purpose: string, value: string): Buffer {
    let key = this.macKeys.get(purpose);
    if (key === undefined) this.macKeys.set(purpose, (key = this.derive(`mac:${purpose}`)));
    return createHmac('sha256', key).update(value).digest();
  }

  /** A key of its own per purpose (RFC 5869), so that no value means something in two places. */
  private derive(purpose: string, bytes = 32): Buffer {
    return Buffer.from(hkdfSync('sha256', this.secret, 'sluice', purpose, bytes));
  }
}
