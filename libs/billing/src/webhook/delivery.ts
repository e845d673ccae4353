import { createParamDecorator, type ExecutionContext, type RawBodyRequest } from '@nestjs/common';
import type { Request } from 'express';
import { CoreError } from '#common';

/** A webhook as it was sent. */
export interface Delivery {
  /** Byte for byte: the signature is of these. */
  readonly body: Buffer;
  readonly signature: string | undefined;
}

/** @throws CoreError UNSUPPORTED_MEDIA_TYPE for what was packed, or is no JSON: Stripe sends nothing like it */
export const WebhookDelivery = createParamDecorator((_data: unknown, context: ExecutionContext): Delivery => {
  const request = context.switchToHttp().getRequest<RawBodyRequest<Request>>();
  const packed = (request.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity';
  if (packed || (request.rawBody !== undefined && request.is('application/json') === false))
    throw new CoreError('UNSUPPORTED_MEDIA_TYPE', 'Webhooks are JSON as Stripe sends them, and not packed.');
  const { 'stripe-signature': signature } = request.headers;
  return {
    body: request.rawBody ?? Buffer.alloc(0),
    signature: typeof signature === 'string' ? signature : undefined,
  };
});
