import { z } from 'zod';

/** `GET /api/gateway/*`: a method or `*`, and a path that may end in `*`. */
export const scopeSchema = z
  .string()
  .max(500)
  .regex(
    /^(?:\*|[A-Z]{1,16}) \/[^\s*?#]*\*?$/,
    'must be a method (or *) and a path, which may end in *: GET /api/gateway/*',
  );

/**
 * Whether a key with these scopes may call this.
 * @param scopes null: whatever a key may call
 * @param path normalised, without the query
 */
export function isWithin(scopes: readonly string[] | null, method: string, path: string): boolean {
  return scopes === null || scopes.some((scope) => covers(scope, method, path));
}

function covers(scope: string, method: string, path: string): boolean {
  const [methods, paths = ''] = scope.split(' ', 2);
  if (methods !== '*' && methods !== method && !(methods === 'GET' && method === 'HEAD')) return false;
  return paths.endsWith('*') ? path.startsWith(paths.slice(0, -1)) : path === paths;
}
