import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SecretKey } from './secret-key.js';

/** Without a key id: what was sealed before keys could be rotated. */
const VERSION_1 = 1;
const VERSION_2 = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets that are kept in the database: AES-256-GCM (NIST SP 800-38D) under a key derived from `SECRET_KEY`.
 * The additional data ties a sealed value to its row, so that it can't be moved to another one.
 *
 * Layout: version (1 byte), id of the key (4), nonce (12), tag (16), ciphertext. The id says which key to open it with
 * while `SECRET_KEY` is being rotated; what is sealed, is always sealed with the current one.
 */
export class SecretBox {
  private readonly current: SecretKey;
  /** The current one first. */
  private readonly keys: readonly SecretKey[];

  /** @param previousSecretKey the secret before this one: what is sealed under it is still opened */
  constructor(secretKey: string, previousSecretKey: string | null = null) {
    this.current = new SecretKey(secretKey);
    this.keys = [this.current, ...(previousSecretKey === null ? [] : [new SecretKey(previousSecretKey)])];
  }

  /** How everything begins that is sealed with the current key: what begins otherwise is still to be rotated. */
  get currentPrefix(): Buffer {
    return Buffer.concat([Buffer.of(VERSION_2), this.current.id]);
  }

  /** Encrypts `plaintext` for the place named by `context`, `slice:7:env` for example. */
  seal(plaintext: string, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.sealing, nonce).setAAD(Buffer.from(context));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([this.currentPrefix, nonce, cipher.getAuthTag(), ciphertext]);
  }

  /**
   * Decrypts what {@link seal} made for the same `context`, with the current key or the previous one.
   * @throws Error when the value was changed, moved, or sealed under another key.
   */
  open(sealed: Buffer, context: string): string {
    const [version] = sealed;
    if (version === VERSION_1) return this.openByTrying(sealed.subarray(1), context);
    if (version === VERSION_2) return this.openByKeyId(sealed.subarray(1), context);
    throw new Error(`sealed value of an unknown version: ${String(version)}`);
  }

  /** A keyed hash that can't be computed without `SECRET_KEY`: for look-ups and for derived passwords. */
  mac(purpose: string, value: string): Buffer {
    return this.current.mac(purpose, value);
  }

  /** {@link mac} by each key that is known, the current one's first: a look-up must find what either has made. */
  macs(purpose: string, value: string): Buffer[] {
    return this.keys.map((key) => key.mac(purpose, value));
  }

  private openByKeyId(rest: Buffer, context: string): string {
    const { length } = this.current.id;
    const id = rest.subarray(0, length);
    const key = this.keys.find((candidate) => candidate.id.equals(id));
    if (key === undefined) throw new Error('sealed value of an unknown key');
    return openWith(key, rest.subarray(length), context);
  }

  private openByTrying(rest: Buffer, context: string): string {
    let failure: unknown;
    for (const key of this.keys) {
      try {
        return openWith(key, rest, context);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

function openWith(key: SecretKey, box: Buffer, context: string): string {
  const nonce = box.subarray(0, NONCE_BYTES);
  const tag = box.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key.sealing, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(tag);
  const ciphertext = box.subarray(NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
}
