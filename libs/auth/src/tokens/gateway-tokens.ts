import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuthError, Clock } from '#common';
import { AppConfig, SettingsInForce } from '#config';
import { User } from '#database';
import { publicUser } from '../accounts/users.js';
import type { TokenPrincipal } from '../principals/principal.js';
import { AllowedOrigins } from '../origins/allowed-origins.js';
import { ADMIN_SCOPE, ELEVATED_ROUTES, GUEST_SCOPE, type TokenClaims } from './token-claims.js';
import { TokenSigner } from './token-signer.js';

const ADMIN_TTL_SECONDS = 60 * 60;
const GUEST_TTL_SECONDS = 15 * 60;

/** A guest's token, and what it opens. */
export interface GuestToken {
  readonly token: string;
  readonly route: string;
}

/** Issues and verifies gateway tokens: those of admins, and those of guests for one route. */
@Injectable()
export class GatewayTokens {
  private readonly signer: TokenSigner;

  constructor(
    config: AppConfig,
    private readonly settings: SettingsInForce,
    private readonly origins: AllowedOrigins,
    private readonly dataSource: DataSource,
    clock: Clock,
  ) {
    this.signer = new TokenSigner(config.jwtSecret, clock);
  }

  /** A token of an admin, for an hour. It is void sooner when all of the account's access is ended. */
  forAdmin(user: User): Promise<string> {
    const claims = {
      projectId: user.email,
      route: 'auth',
      scopes: [ADMIN_SCOPE],
      environment: 'production',
      issuedBy: this.origins.ownHost,
      sub: user.id,
      gen: user.tokenGeneration,
    } as const;
    return this.signer.sign(claims, ADMIN_TTL_SECONDS);
  }

  /**
   * A token for anybody, for a quarter of an hour, to one of the routes that config.yml opens to guests.
   * @param route the first of them when it is not given
   * @throws AuthError UNKNOWN_ROUTE
   */
  async forGuest(route = this.settings.current.guestRoutes[0]): Promise<GuestToken> {
    if (route === undefined || !this.settings.current.guestRoutes.includes(route)) {
      throw new AuthError('UNKNOWN_ROUTE', 'Guests have no access to such a route.');
    }
    const claims = {
      projectId: 'guest',
      route,
      scopes: [GUEST_SCOPE],
      environment: 'staging',
      issuedBy: this.origins.ownHost,
    } as const;
    return { token: await this.signer.sign(claims, GUEST_TTL_SECONDS), route };
  }

  /**
   * Who bears this token; null when it is none of ours, has expired, or is an admin's whose access has been ended
   * since. An admin's account is read each time: there is no list of void tokens to keep.
   */
  async verify(token: string): Promise<TokenPrincipal | null> {
    const claims = await this.signer.read(token);
    if (claims === null) return null;
    const { projectId, route, scopes } = claims;
    const bearer = {
      kind: 'token',
      projectId,
      route,
      scopes,
      expiresAt: new Date(claims.exp * 1000),
    } as const;
    if (!scopes.includes(ADMIN_SCOPE)) return { ...bearer, user: null };
    const admin = await this.adminOf(claims);
    return admin && { ...bearer, user: publicUser(admin) };
  }

  /** Whether this is a token of ours, expired or void ones included: no upstream but its own route's may see it. */
  isOurs(token: string): boolean {
    return this.signer.signed(token);
  }

  private async adminOf({ sub, gen }: TokenClaims): Promise<User | null> {
    if (sub === undefined || gen === undefined) return null;
    const user = await this.dataSource.getRepository(User).findOneBy({ id: sub });
    const stillAdmin = user?.role === 'admin' && user.disabledAt === null && user.tokenGeneration === gen;
    return stillAdmin ? user : null;
  }
}

/** Whether a token opens a route: its own, or any when it is an admin's for `core` or `auth`. */
export function opensRoute({ route: own, scopes }: TokenPrincipal, route: string): boolean {
  return ELEVATED_ROUTES.has(own) ? scopes.includes(ADMIN_SCOPE) : own === route;
}
