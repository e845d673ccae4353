import { type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { Request } from 'express';
import { clientIp, CoreError, TrustProxy } from '#common';
import { addressKey } from './address-limit.js';
import type { AuthLimits } from './auth-limits.js';
import { machineOf } from './network-of.js';

const THROTTLED = 'sluice:throttled';

/** What is counted together: the endpoints of browsers, or those of API keys. */
export type ThrottledKind = 'auth' | 'apiKeys';

/** Limits how often one address may call the endpoints of this kind, all of them together. */
export const ThrottledPerAddress = (kind: ThrottledKind = 'auth'): MethodDecorator & ClassDecorator =>
  SetMetadata(THROTTLED, kind);

/**
 * The limit of {@link ThrottledPerAddress}. It runs before the access guard: a flood must not cost a look-up each. What
 * no handler answers, an unknown path or method, is not counted: such a 404 tries no credential and looks nothing up.
 */
@Injectable()
export class AddressThrottlerGuard extends ThrottlerGuard {
  /** `RateLimit-Limit`, `-Remaining`, `-Reset` (draft-ietf-httpapi-ratelimit-headers-05). */
  protected override headerPrefix = 'RateLimit';

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly trustProxy: TrustProxy,
  ) {
    super(options, storage, reflector);
  }

  protected override async shouldSkip(context: ExecutionContext): Promise<boolean> {
    return kindOf(context) === undefined;
  }

  protected override async getTracker(request: Request): Promise<string> {
    return machineOf(clientIp(request, this.trustProxy));
  }

  /** One count for all endpoints of the kind, where the default is one a handler. */
  protected override generateKey(context: ExecutionContext, tracker: string): string {
    return addressKey(String(kindOf(context)), tracker);
  }

  protected override async throwThrottlingException(
    _context: ExecutionContext,
    { limit, timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    throw new CoreError('RATE_LIMITED', 'Too many requests. Please wait before you try again.', {
      rateLimit: { limit, resetSeconds: timeToBlockExpire },
    });
  }
}

/** What @nestjs/throttler is told of {@link AuthLimits}. */
export function throttlerOptions(limits: AuthLimits): ThrottlerModuleOptions {
  const limit = (context: ExecutionContext): number =>
    kindOf(context) === 'apiKeys' ? limits.apiKeysPerAddress : limits.perAddress;
  return { throttlers: [{ limit, ttl: limits.windowSeconds * 1000 }] };
}

function kindOf(context: ExecutionContext): ThrottledKind | undefined {
  return new Reflector().getAllAndOverride(THROTTLED, [context.getHandler(), context.getClass()]);
}
