import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';

/** An answer that sets cookies. Services give it, so that controllers need not touch the response. */
export class WithCookie<Body> {
  /** @param setCookie the `Set-Cookie` value, or several; null sets none */
  constructor(
    readonly body: Body,
    readonly setCookie: string | string[] | null,
  ) {}
}

/** Writes the cookies of a {@link WithCookie}, and answers with its body. */
@Injectable()
export class SetCookieInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((answer: unknown) => {
        if (!(answer instanceof WithCookie)) return answer;
        if (answer.setCookie !== null) response.append('Set-Cookie', answer.setCookie);
        // What signs somebody in is for one browser only (RFC 9111 §5.2.2.5).
        response.setHeader('Cache-Control', 'no-store');
        return answer.body;
      }),
    );
  }
}
