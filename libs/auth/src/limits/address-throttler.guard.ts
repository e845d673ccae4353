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
import type { Request, Response } from 'express';
import { clientIp, CoreError, TrustProxy } from '#common';
import type { AuthLimits } from './auth-limits.js';
import { machineOf } from './network-of.js';

const THROTTLED = 'sluice:throttled';

/** Limits how often one address may call these endpoints, all of them together. */
export const ThrottledPerAddress = (): MethodDecorator & ClassDecorator => SetMetadata(THROTTLED, true);

/**
 * The limit of {@link ThrottledPerAddress}. It runs before the access guard: a flood must not cost a look-up each.
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
    return !this.reflector.getAllAndOverride<boolean>(THROTTLED, [context.getHandler(), context.getClass()]);
  }

  protected override async getTracker(request: Request): Promise<string> {
    return machineOf(clientIp(request, this.trustProxy));
  }

  /** One count for all endpoints of the kind, where the default is one a handler. */
  protected override generateKey(_context: ExecutionContext, tracker: string): string {
    return `address:${tracker}`;
  }

  protected override async throwThrottlingException(
    context: ExecutionContext,
    { limit, timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    const response = context.switchToHttp().getResponse<Response>();
    response.set({
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': '0',
      'RateLimit-Reset': String(timeToBlockExpire),
    });
    throw new CoreError('RATE_LIMITED', 'Too many requests. Please wait before you try again.', {
      retryAfterSeconds: timeToBlockExpire,
    });
  }
}

/** What @nestjs/throttler is told of {@link AuthLimits}. */
export function throttlerOptions(limits: AuthLimits): ThrottlerModuleOptions {
  return { throttlers: [{ limit: limits.perAddress, ttl: limits.windowSeconds * 1000 }] };
}
