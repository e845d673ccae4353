import { createParamDecorator, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import type { Request } from 'express';
import { clientIp, TrustProxy } from '#common';

/** Where a request comes from, and the cookies it presents, whether or not they are worth anything. */
export interface Caller {
  readonly ip: string;
  readonly userAgent: string | null;
  readonly cookieHeader: string | undefined;
}

@Injectable()
export class CallerPipe implements PipeTransform<Request, Caller> {
  constructor(private readonly trustProxy: TrustProxy) {}

  transform(request: Request): Caller {
    return {
      ip: clientIp(request, this.trustProxy),
      userAgent: request.headers['user-agent'] ?? null,
      cookieHeader: request.headers.cookie,
    };
  }
}

const RequestParameter = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.switchToHttp().getRequest<Request>(),
);

/** The {@link Caller} of a request. */
export const FromCaller = (): ParameterDecorator => RequestParameter(CallerPipe);
