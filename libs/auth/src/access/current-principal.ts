import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AuthError } from '#common';
import { principalOf } from '../principals/principal-of.js';
import type { Principal, PrincipalUser, SessionPrincipal } from '../principals/principal.js';

/** Who calls. The handler declares that it needs somebody; used on a public one it refuses. */
export const CurrentPrincipal = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  principal(context),
);

/** The session of whoever calls; the handler declares `@RequireSession()`. */
export const CurrentSession = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  session(context),
);

/** The signed-in user; the handler declares `@RequireSession()`. */
export const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): PrincipalUser => session(context).user,
);

function principal(context: ExecutionContext): Principal {
  const found = principalOf(context.switchToHttp().getRequest<Request>());
  if (found === null) throw new AuthError('UNAUTHENTICATED', 'You are not signed in. Please sign in.');
  return found;
}

function session(context: ExecutionContext): SessionPrincipal {
  const found = principal(context);
  if (found.kind !== 'session') {
    throw new AuthError('FORBIDDEN', 'This is for a signed-in user, not for a key.');
  }
  return found;
}
