import { errors, jwtVerify, SignJWT } from 'jose';
import { createHmac, createSecretKey, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#common';
import { type TokenClaims, tokenClaimsSchema } from './token-claims.js';

const ALGORITHM = 'HS256';
const TYPE = 'JWT';

/** Header, payload and HS256's signature in base64url (RFC 7515 §7.1); a header that begins with `{"` begins so. */
const COMPACT_JWS = /^(eyJ[\w-]+\.[\w-]+)\.([\w-]{43})=*$/;

/** Far more than ours ever have. */
const MAX_LENGTH = 4096;

/** Signs and reads gateway tokens: JWTs by HMAC-SHA-256 under `GATEWAY_JWT_SECRET`. Knows of no accounts. */
export class TokenSigner {
  private readonly key;

  constructor(
    secret: string,
    private readonly clock: Clock,
  ) {
    this.key = createSecretKey(Buffer.from(secret, 'utf8'));
  }

  /** A token with these claims that begins now. */
  sign(claims: Omit<TokenClaims, 'iat' | 'exp' | 'jti'>, ttlSeconds: number): Promise<string> {
    const now = Math.floor(this.clock.nowMs() / 1000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
      .setIssuedAt(now)
      .setExpirationTime(now + ttlSeconds)
      .setJti(randomUUID())
      .sign(this.key);
  }

  /**
   * The claims of a token that we signed and that has not expired; null for everything else. The algorithm is ours to
   * say and never the token's (RFC 8725 §3.1).
   */
  async read(token: string): Promise<TokenClaims | null> {
    if (token.length > MAX_LENGTH || !isCanonical(token)) return null;
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        requiredClaims: ['exp', 'iat', 'jti'],
        currentDate: this.clock.now(),
        clockTolerance: 0,
      });
      return tokenClaimsSchema.safeParse(payload).data ?? null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  /**
   * Whether our secret signed this, expired or not: then no slice may see it. Without a promise, for the hot path, and
   * more lenient than {@link read}: whatever anybody could take for one of our tokens counts.
   */
  signed(token: string): boolean {
    const match = COMPACT_JWS.exec(token);
    if (match === null) return false;
    const [, content = '', signature = ''] = match;
    const expected = createHmac('sha256', this.key).update(content).digest();
    const given = Buffer.from(signature, 'base64url');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/**
 * The last character of a signature of 32 bytes has two bits that mean nothing; decoders ignore them. One token is
 * to have one spelling, or whoever lists tokens by their text can be got around (RFC 4648 §3.5).
 */
function isCanonical(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}
