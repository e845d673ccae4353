import { Injectable } from '@nestjs/common';
import { AllowedOrigins } from '#auth';
import { AppConfig } from '#config';
import { type Route, Routes, rewritten, type SliceRoute, type UpstreamRoute } from '#proxy';
import type { Explanation, ExplainQuery, MatchedRoute } from './schemas.js';

const REFUSED = 'The path is not plain: it has control characters, a backslash, or dots that hide.';
const AMBIGUOUS = 'The path can be read in two ways, which lead to different routes.';

/** Says where a request would go, and why, without sending it. */
@Injectable()
export class RouteExplainer {
  constructor(
    private readonly routes: Routes,
    private readonly origins: AllowedOrigins,
    private readonly config: AppConfig,
  ) {}

  explain({ method, host = this.origins.ownHost, scheme, path }: ExplainQuery): Explanation {
    const found = this.routes.explain(method, path, host, scheme === 'https');
    if (found === null) {
      const nothing = { rule: 'none', passed: [], route: null, withoutSlice: null };
      return { method, host, path: null, refused: REFUSED, ...nothing };
    }
    const { route, rule, passed, ambiguous } = found;
    const fallback = route?.kind === 'slice' ? route.withoutSlice : null;
    return {
      method,
      host,
      path: found.path,
      refused: ambiguous ? AMBIGUOUS : null,
      rule,
      passed: [...passed],
      route: route && this.view(route, found.path),
      withoutSlice: fallback && this.view(fallback, found.path),
    };
  }

  private view(route: Route, path: string): MatchedRoute {
    return route.kind === 'slice' ? this.sliceView(route, path) : upstreamView(route, path);
  }

  private sliceView({ prefix, timeoutMs }: SliceRoute, path: string): MatchedRoute {
    return {
      source: 'slice',
      id: prefix,
      matched: `path ${prefix}`,
      target: "the signed-in customer's slice",
      upstreamPath: path,
      auth: ['session'],
      tokenRoute: null,
      workerTypes: null,
      forwardAuthorization: true,
      preserveHost: true,
      timeoutSeconds: timeoutMs / 1000,
      rateLimit: null,
      maxInFlight: this.config.slices.maxInFlight,
      compress: false,
    };
  }
}

function upstreamView(route: UpstreamRoute, path: string): MatchedRoute {
  const { source, id, rule, to, rewrite, policy, workerTypes } = route;
  return {
    source,
    id,
    matched: rule,
    target: to,
    upstreamPath: rewritten(path, rewrite),
    auth: [...policy.auth],
    tokenRoute: policy.tokenRoute,
    workerTypes: workerTypes && [...workerTypes],
    forwardAuthorization: policy.forwardAuthorization,
    preserveHost: policy.preserveHost,
    timeoutSeconds: policy.timeoutMs / 1000,
    rateLimit: policy.rateLimit,
    maxInFlight: policy.maxInFlight,
    compress: policy.compress,
  };
}
