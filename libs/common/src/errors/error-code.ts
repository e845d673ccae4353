/**
 * The `code` of an error of Node, PostgreSQL or a library (`ENOENT`, `23505`); undefined when it has none. Told by its
 * shape: an error of another realm (a Jest environment, a vm context) is no `instanceof Error`.
 */
export function errorCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
