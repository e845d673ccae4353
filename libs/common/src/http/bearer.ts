/** RFC 6750 §2.1. The scheme's name has no case (RFC 9110 §11.1), and lenient receivers take a tab for a space. */
const BEARER = /^bearer[ \t]+(\S+)[ \t]*$/i;

/** The token of an `Authorization: Bearer` header; undefined where there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}
