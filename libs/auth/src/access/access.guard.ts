import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { assertNever, AuthError, bearerToken } from '#common';
import { PassportAuthentication, type StrategyName } from '../principals/passport-authentication.js';
import { userOf } from '../principals/principal.js';
import { setPrincipal } from '../principals/principal-of.js';
import {
  ADMIN_KEY_STRATEGY,
  API_KEY_STRATEGY,
  SESSION_STRATEGY,
  TOKEN_STRATEGY,
} from '../principals/strategies.js';
import { AdminTwoFactors } from '../totp/admin-two-factors.js';
import { type Access, accessOf, permits } from './access.js';

/** Refuses by default: a handler that does not say who may call it answers nobody, whoever they are. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly logger = new Logger(AccessGuard.name);

  constructor(
    private readonly reflector: Reflector,
    private readonly passport: PassportAuthentication,
    private readonly adminTwoFactors: AdminTwoFactors,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = accessOf(this.reflector, [context.getHandler(), context.getClass()]);
    if (access === undefined) {
      this.logger.error(`${context.getClass().name}.${context.getHandler().name} declares no access`);
      throw new AuthError('FORBIDDEN', 'This endpoint is not open to anybody.');
    }
    if (access.kind === 'public') return true;

    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const principal = await this.passport.authenticate(strategiesFor(access), request, response);
    if (principal === null) throw unauthenticated(access, request);
    if (!permits(access, principal)) throw forbidden(access);
    const admin = access.kind === 'admin' ? userOf(principal) : null;
    if (admin !== null) this.adminTwoFactors.check(admin);
    setPrincipal(request, principal);
    return true;
  }
}

/** Where the key is wanted the others are looked at too: whoever is signed in is told 403, not to sign in. */
function strategiesFor(access: Exclude<Access, { kind: 'public' }>): readonly StrategyName[] {
  switch (access.kind) {
    case 'session':
      return [SESSION_STRATEGY];
    case 'apiKey':
      return [API_KEY_STRATEGY];
    case 'admin':
      return [ADMIN_KEY_STRATEGY, TOKEN_STRATEGY, SESSION_STRATEGY];
    default:
      return assertNever(access);
  }
}

function unauthenticated(access: Access, request: Request): AuthError {
  return new AuthError(
    'UNAUTHENTICATED',
    access.kind === 'admin'
      ? adminKeyFault(request)
      : 'You are not signed in, or your session has ended. Please sign in.',
  );
}

function adminKeyFault({ headers }: Request): string {
  if (headers['x-admin-key']) return 'The key sent as X-Admin-Key is not the admin key.';
  return bearerToken(headers.authorization) === undefined
    ? 'Send the admin key as X-Admin-Key, or as Authorization: Bearer.'
    : 'What was sent as Authorization: Bearer is neither the admin key nor a valid gateway token.';
}

function forbidden(access: Access): AuthError {
  return new AuthError(
    'FORBIDDEN',
    access.kind === 'admin' && access.credential === 'key'
      ? 'This endpoint takes the admin key alone: send it as X-Admin-Key.'
      : 'You may not do this with this account.',
  );
}
