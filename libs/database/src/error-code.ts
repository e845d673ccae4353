/** The `code` of an error of Node or PostgreSQL (`ENOENT`, `23505`); empty when it has none. */
export function errorCode(error: unknown): string {
  const found = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof found === 'string' ? found : '';
}
