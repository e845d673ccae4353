import { z } from 'zod';

const MAX_NEXT = 2048;

/**
 * Whether a text is a path of the same origin and nothing else. A browser takes `//host`, and `/\host` too, for
 * another host; it drops tabs and newlines before it looks (WHATWG URL), so that `/<tab>/host` is one as well. No
 * honest path has any of them.
 */
export function isLocalPath(text: string): boolean {
  return /^\/(?!\/)[^\\\p{Cc}]*$/u.test(text);
}

/** Where to go after the sign-in. */
export const nextSchema = z
  .string('must be given once, as a text')
  .max(MAX_NEXT)
  .refine(isLocalPath, 'must be a path: it begins with one / and has no backslash or control character')
  .prefault('/');

/**
 * The URL to return to. It is written out with its origin, which the path can't change: had {@link isLocalPath} missed
 * a trick, this does not.
 * @param origin one that is allowed
 * @returns null when the path leads elsewhere
 */
export function returnTarget(origin: string, next: string): string | null {
  const target = URL.parse(next, origin);
  return target?.origin === origin ? target.href : null;
}
