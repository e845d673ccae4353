/** Of the keyed hash by which an API key is found. */
export const API_KEY_MAC = 'api-key';

/** A column whose values are sealed by SecretBox. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The primary key, which the context is made of. */
  readonly key: string;
  /** What ties a value to its row; a `bytea` key is given as base64url. */
  readonly context: (key: string) => string;
  /** A keyed hash of the same secret, which has to change with it. */
  readonly mac?: { readonly column: string; readonly purpose: string };
}

/**
 * Every sealed column there is: what is not named here is lost when `SECRET_KEY` is rotated. Whoever seals knows the
 * context, too; a rotation that met another one would say so, and leave the value as it is.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'slice', column: 'env_sealed', key: 'id', context: (id) => `slice:${id}:env` },
  { table: 'slice', column: 'database_password_sealed', key: 'id', context: (id) => `slice:${id}:db` },
  { table: 'user', column: 'totp_secret_sealed', key: 'id', context: (id) => `user:${id}:totp` },
  { table: 'session', column: 'tokens_sealed', key: 'id_hash', context: (hash) => `session:${hash}:tokens` },
  {
    table: 'api_key',
    column: 'key_sealed',
    key: 'id',
    context: (id) => `api-key:${id}`,
    mac: { column: 'key_mac', purpose: API_KEY_MAC },
  },
  { table: 'login_state', column: 'sealed', key: 'state_hash', context: (hash) => `login-state:${hash}` },
  { table: 'outgoing_mail', column: 'sealed', key: 'id', context: (id) => `mail:${id}` },
];
