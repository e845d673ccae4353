import { Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AllowedOrigins, corsHeaders, preflightHeaders } from '#auth';
import { answerEmpty } from '../http/answer.js';
import type { Route } from '../routing/route.js';

/** CORS of proxied paths, by the rule that our own endpoints have. */
@Injectable()
export class Cors {
  constructor(private readonly origins: AllowedOrigins) {}

  answerPreflight(req: IncomingMessage, res: ServerResponse, route: Route): void {
    const headers = preflightHeaders(req.headers.origin, this.origins, !takesCookie(route));
    answerEmpty(req, res, { ...headers, vary: 'Origin' });
  }

  /** Set on the response beforehand, for an answer that says nothing of CORS itself: see `yieldToCorsOf`. */
  add(req: IncomingMessage, res: ServerResponse, route: Route): void {
    const { origin } = req.headers;
    if (origin === undefined) return;
    const headers = corsHeaders(origin, this.origins, !takesCookie(route));
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.setHeader('vary', 'Origin');
  }
}

/** Where a cookie counts, `*` would let the page of a stranger act for whoever visits it. */
function takesCookie(route: Route): boolean {
  return route.kind === 'slice' || route.policy.auth.includes('session');
}
