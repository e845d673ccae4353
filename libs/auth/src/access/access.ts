import { applyDecorators, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ApiSecurity, assertNever } from '#common';
import { ApiErrors } from '../documentation/api-errors.js';
import {
  ADMIN_KEY_SCHEMES,
  API_KEY_SCHEME,
  SESSION_SCHEME,
  TOKEN_SCHEME,
} from '../documentation/security-schemes.js';
import { ThrottledPerAddress } from '../limits/address-throttler.guard.js';
import type { Principal } from '../principals/principal.js';

/** What the operator shows: `ADMIN_KEY` only, or the session or gateway token of an admin as well. */
export type AdminCredential = 'key' | 'keyOrSession';

/** Who may call a handler. */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'session' }
  | { readonly kind: 'apiKey' }
  | { readonly kind: 'admin'; readonly credential: AdminCredential };

const ACCESS = 'sluice:access';

const declare = (access: Access): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, access);

/** Anybody. Without one of these declarations a handler answers nobody. */
export const Public = (): MethodDecorator & ClassDecorator => declare({ kind: 'public' });

/** Whoever is signed in. */
export const RequireSession = (): MethodDecorator =>
  applyDecorators(
    declare({ kind: 'session' }),
    ApiSecurity(SESSION_SCHEME),
    ApiErrors(
      'UNAUTHENTICATED',
      'SESSION_EXPIRED',
      'AMBIGUOUS_SESSION',
      'CSRF_REJECTED',
      'SESSION_STORE_UNAVAILABLE',
    ),
  );

/** The operator. */
export const RequireAdmin = (credential: AdminCredential): MethodDecorator & ClassDecorator =>
  applyDecorators(
    declare({ kind: 'admin', credential }),
    ...ADMIN_KEY_SCHEMES.map((scheme) => ApiSecurity(scheme)),
    ...(credential === 'key'
      ? []
      : [
          ApiSecurity(SESSION_SCHEME),
          ApiSecurity(TOKEN_SCHEME),
          ApiErrors('TOTP_ENROLMENT_REQUIRED', 'SESSION_EXPIRED'),
        ]),
    ApiErrors(
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'AMBIGUOUS_SESSION',
      'CSRF_REJECTED',
      'SESSION_STORE_UNAVAILABLE',
    ),
  );

/** A worker with an API key whose scopes cover the method and path. */
export const RequireApiKey = (): MethodDecorator & ClassDecorator =>
  applyDecorators(
    declare({ kind: 'apiKey' }),
    ThrottledPerAddress('apiKeys'),
    ApiSecurity(API_KEY_SCHEME),
    ApiErrors('UNAUTHENTICATED', 'API_KEY_FORBIDDEN', 'RATE_LIMITED'),
  );

/** What a handler declares, or its controller for all of its handlers; undefined when neither says anything. */
export function accessOf(
  reflector: Reflector,
  targets: [
    handler: ReturnType<ExecutionContext['getHandler']>,
    controller: ReturnType<ExecutionContext['getClass']>,
  ],
): Access | undefined {
  return reflector.getAllAndOverride<Access | undefined>(ACCESS, targets);
}

/** Whether this principal may. */
export function permits(access: Access, principal: Principal): boolean {
  switch (access.kind) {
    case 'public':
      return true;
    case 'session':
      return principal.kind === 'session';
    case 'apiKey':
      return principal.kind === 'apiKey';
    case 'admin':
      return isOperator(principal, access.credential);
    default:
      return assertNever(access);
  }
}

function isOperator(principal: Principal, credential: AdminCredential): boolean {
  switch (principal.kind) {
    case 'adminKey':
      return true;
    case 'session':
      return credential === 'keyOrSession' && principal.user.role === 'admin';
    case 'token':
      return credential === 'keyOrSession' && principal.user?.role === 'admin';
    case 'apiKey':
      return false;
    default:
      return assertNever(principal);
  }
}
