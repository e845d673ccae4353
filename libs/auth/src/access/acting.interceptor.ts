import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import { Observable } from 'rxjs';
import { type Actor, actingAs, clientIp, requestIdOf, TrustProxy } from '#common';
import { type Principal, userOf } from '../principals/principal.js';
import { principalOf } from '../principals/principal-of.js';

/** Runs each handler in the name of who was found to send the request, so that the audit knows without being told. */
@Injectable()
export class ActingInterceptor implements NestInterceptor {
  constructor(private readonly trustProxy: TrustProxy) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    const principal = principalOf(request);
    if (principal === null) return next.handle();
    const acting = {
      actor: actorOf(principal),
      ip: clientIp(request, this.trustProxy),
      requestId: requestIdOf(request),
    };
    return new Observable((subscriber) => actingAs(acting, () => next.handle().subscribe(subscriber)));
  }
}

/** Workers and guests change nothing that is audited. */
function actorOf(principal: Principal): Actor {
  if (principal.kind === 'adminKey') return { kind: 'adminKey' };
  const user = userOf(principal);
  return user === null ? { kind: 'system' } : { kind: 'user', id: user.id };
}
