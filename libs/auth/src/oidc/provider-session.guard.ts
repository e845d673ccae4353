import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { principalOf } from '../principals/principal-of.js';
import { ProviderSessions } from './provider-sessions.js';

/**
 * Lets a session by OIDC pass while the provider vouches for its user: with each refresh of its tokens the provider is
 * asked anew. After the guards that find out who calls, and whether they may.
 */
@Injectable()
export class ProviderSessionGuard implements CanActivate {
  constructor(private readonly sessions: ProviderSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const principal = principalOf(context.switchToHttp().getRequest<Request>());
    if (principal?.kind === 'session') await this.sessions.keepFresh(principal);
    return true;
  }
}
