import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets that are kept in the database: AES-256-GCM (NIST SP 800-38D) under a key derived from `SECRET_KEY`.
 * The additional data ties a sealed value to its row, so that it can't be moved to another one.
 *
 * Layout: version (1 byte), nonce (12), tag (16), ciphertext.
 */
export class SecretBox {
  private readonly key: Buffer;

  constructor(private readonly secretKey: string) {
    this.key = this.derive('seal');
  }

  /** Encrypts `plaintext` for the place named by `context`, `slice:7:env` for example. */
  seal(plaintext: string, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(context));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), ciphertext]);
  }

  /**
   * Decrypts what {@link seal} made for the same `context`.
   * @throws Error when the value was changed, moved, or sealed under another key.
   */
  open(sealed: Buffer, context: string): string {
    if (sealed[0] !== VERSION) throw new Error(`sealed value of an unknown version: ${String(sealed[0])}`);
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(tag);
    const ciphertext = sealed.subarray(1 + NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
  }

  /** A keyed hash that can't be computed without `SECRET_KEY`: for look-ups and for derived passwords. */
  mac(purpose: string, value: string): Buffer {
    return createHmac('sha256', this.derive(`mac:${purpose}`))
      .update(value)
      .digest();
  }

  /** A key of its own per purpose (RFC 5869), so that no value means something in two places. */
  private derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.secretKey, 'sluice', purpose, 32));
  }
}
