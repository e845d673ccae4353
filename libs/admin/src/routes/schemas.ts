import { z } from 'zod';

export const explainQuery = z.strictObject({
  method: z
    .string()
    .regex(/^[A-Za-z]{1,16}$/, 'must be a method, such as GET')
    .toUpperCase()
    .default('GET'),
  /** With its port, as a `Host` header has it. Default: the gateway's own. */
  host: z
    .string()
    .max(260)
    .regex(
      /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/,
      'must be a host, such as app.example.com:443',
    )
    .optional(),
  scheme: z.enum(['http', 'https']).default('http'),
  path: z.string().max(8192).startsWith('/', 'must be a path, such as /api/notes'),
});
export type ExplainQuery = z.infer<typeof explainQuery>;

const matchedRoute = z.object({
  source: z.enum(['health', 'worker', 'route', 'service', 'mapping', 'default', 'slice']),
  /** Its name in config.yml; a slice's is the path that leads to it. */
  id: z.string(),
  /** What matched, in words. */
  matched: z.string(),
  target: z.string(),
  upstreamPath: z.string(),
  auth: z.array(z.enum(['session', 'apiKey', 'token', 'optionalToken', 'none'])),
  tokenRoute: z.string().nullable(),
  workerTypes: z.array(z.string()).nullable(),
  forwardAuthorization: z.boolean(),
  preserveHost: z.boolean(),
  timeoutSeconds: z.number(),
  rateLimit: z.object({ requests: z.int(), windowSeconds: z.number() }).nullable(),
  maxInFlight: z.int(),
  compress: z.boolean(),
});
export type MatchedRoute = z.infer<typeof matchedRoute>;

export const explanationResponse = z
  .object({
    method: z.string(),
    host: z.string(),
    /** As it is matched: normalised, without the query. Null: the path is refused, whatever the routes are. */
    path: z.string().nullable(),
    /** Whether such a request is refused before any upstream sees it, and why. */
    refused: z.string().nullable(),
    /** The rule that decides. */
    rule: z.string(),
    /** The rules before it, none of which matched. */
    passed: z.array(z.string()),
    /** Null: what answers is Sluice itself, or nothing. */
    route: matchedRoute.nullable(),
    /** Where customers without a slice go instead. */
    withoutSlice: matchedRoute.nullable(),
  })
  .meta({ id: 'RouteExplanation' });
export type Explanation = z.infer<typeof explanationResponse>;
