import { z } from 'zod';
import { originOrAny } from '../values.js';
import * as field from './fields.js';

/*
 * What may stand in config.yml. The descriptions are shown by editors, through config.schema.json. An unknown key is a
 * slip of the pen, and what was meant would not be in force: it is a fault everywhere.
 */

const auth = z
  .array(z.enum(['session', 'apiKey', 'token', 'optionalToken', 'none']))
  .min(1, 'must name one at the least; none is open to everybody');

const policy = {
  tokenRoute: field.id
    .optional()
    .describe('Whose gateway tokens open it, sent on as X-Gateway-Route. Default: the id of the route.'),
  forwardAuthorization: field.flag
    .optional()
    .describe(
      "Whether an Authorization header that is not the gateway's own goes on. Default: true; false with tokens.",
    ),
  preserveHost: field.flag
    .optional()
    .describe("Whether the upstream gets the client's Host header. Default: false, that of its own URL."),
  timeoutSeconds: field
    .number(0.001, 86_400)
    .optional()
    .describe('From the end of the request to the first byte of the answer. Default: 30.'),
  rateLimit: field.rateLimit
    .optional()
    .describe('Requests of one client, such as 10/s, 100/min, 1000/h or 10000/day. Default: no limit.'),
  maxInFlight: field
    .integer(1, 1_000_000)
    .optional()
    .describe('Requests at the same time, of all clients together. Default: 1000.'),
  compress: field.flag
    .optional()
    .describe('Whether answers are compressed where the upstream did not. Default: false.'),
};

const rewrite = z
  .enum(['preserve', 'strip-api', 'strip-prefix'])
  .optional()
  .describe(
    'What the upstream gets of the path: all of it, all but /api, or what follows `path`. Default: strip-prefix.',
  );

const host = field.host.optional().describe('Only requests to this host, without a port. Default: any.');
const pool = field.id.optional().describe('A name under `pools`, in place of a URL.');

const ONE_TARGET = 'must have one of a URL and a pool, not both';

const service = z
  .strictObject({
    url: field.upstreamUrl
      .optional()
      .describe('Where it is. {ID}_SERVICE_URL or {ID}_URL of the environment wins over it.'),
    pool,
    path: field.path.describe('Requests at and below it go to the service.'),
    health: field.requestTarget
      .optional()
      .describe('What GET /health/{id} of the gateway asks of it. Default: /health.'),
    host,
    auth: auth
      .optional()
      .describe('Who may call: any of the list will do. Default: [none], the service checks for itself.'),
    rewrite,
    ...policy,
  })
  .refine(({ url, pool: named }) => url === undefined || named === undefined, ONE_TARGET);

const route = z
  .strictObject({
    id: field.id.describe('Its name in logs, in tokens and in {ID}_SERVICE_URL; no other route has it.'),
    path: field.path.describe('Requests at and below it; the longest path wins.'),
    target: field.upstreamUrl
      .optional()
      .describe('Where requests go. {ID}_SERVICE_URL or {ID}_URL of the environment wins over it.'),
    pool,
    host,
    auth: auth.describe('Who may call: any of the list will do. `none` opens it to everybody.'),
    rewrite,
    ...policy,
  })
  .refine(({ target, pool: named }) => target === undefined || named === undefined, ONE_TARGET);

const mapping = z.strictObject({
  frontendHost: field.host.describe('The host that the request is for.'),
  frontendPort: field
    .integer(1, 65_535)
    .optional()
    .describe("Its port; a request that names none has its scheme's. Default: any."),
  pathPrefix: field.path
    .optional()
    .describe('What the path begins with once /api is stripped, segment by segment. Default: any.'),
  backend: field.upstreamUrl.describe('Where the request goes, with /api stripped.'),
  auth: auth.optional().describe('Who may call: any of the list will do. Default: [session].'),
  ...policy,
});

const poolOfBackends = z.strictObject({
  backends: z
    .array(field.upstreamUrl)
    .optional()
    .describe('Where it goes, in turn, as far as they are up. More can be added at /admin/pools.'),
  health: field.requestTarget
    .optional()
    .describe('What is asked of each to see whether it is up. Default: /health.'),
});

const worker = z.strictObject({
  method: z
    .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .optional()
    .describe('Default: GET, which HEAD goes with.'),
  path: field.path.describe('The path that workers call with an API key.'),
  pool: field.id.describe('The pool that gets the request.'),
  upstreamPath: field.path.optional().describe('The path at the backend. Default: the same.'),
  workerTypes: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be a word, such as ping'))
    .min(1, 'must name one at the least')
    .optional()
    .describe('The types of API keys that may. Default: any.'),
  timeoutSeconds: policy.timeoutSeconds,
});

const appMetric = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'must be a name of letters, digits and _')
    .describe('What the figure is called on the dashboard.'),
  sql: z
    .string()
    .regex(/\S/, 'must not be empty')
    .describe("A query that gives one number, run in each slice's database, read-only."),
});

/** The whole file. Every part is optional. */
export const settingsSchema = z
  .strictObject({
    defaultBackend: field.upstreamUrl
      .optional()
      .describe('Where /api of users without a slice goes, with /api stripped. Default: nowhere.'),
    allowedOrigins: z
      .array(originOrAny)
      .optional()
      .describe('More origins whose pages may call; * stands for any, where no cookie counts.'),
    mappings: z.array(mapping).optional().describe('Backends of /api by host, port and path, in this order.'),
    services: z
      .record(field.idKey, service)
      .optional()
      .describe('Shared backends, each by its id, with GET /health/{id}.'),
    routes: z.array(route).optional().describe('Other paths, each with its own rules.'),
    pools: z
      .record(field.idKey, poolOfBackends)
      .optional()
      .describe('Sets of backends that can stand for each other, each by its name.'),
    workers: z
      .array(worker)
      .optional()
      .describe(
        'Paths of workers. GET /api/gateway/target and POST /api/gateway/result exist without being named.',
      ),
    guest: z
      .strictObject({ routes: z.array(field.guestRoute).describe('The first is what a guest gets.') })
      .optional()
      .describe('Routes that anybody gets a token for, by POST /auth/guest. Default: build.'),
    appMetrics: z.array(appMetric).optional().describe("Figures of the app, from the slices' databases."),
  })
  .describe('The configuration of Sluice. ${NAME} and ${NAME:-default} stand for variables; $${ for ${.');

export type FileInput = z.output<typeof settingsSchema>;
export type PolicyInput = Pick<FileInputMapping, keyof typeof policy>;
type FileInputMapping = NonNullable<FileInput['mappings']>[number];
export type ServiceInput = NonNullable<FileInput['services']>[string];
export type RouteInput = NonNullable<FileInput['routes']>[number];
export type MappingInput = FileInputMapping;
export type WorkerInput = NonNullable<FileInput['workers']>[number];
