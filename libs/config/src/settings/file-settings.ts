/**
 * What config.yml says, resolved: every default filled in, `${ENV}` interpolated, names checked against each other.
 * Frozen; another configuration is another object.
 */
export interface FileSettings {
  /** Where `/api/*` of users without a slice goes, with `/api` stripped; null: nowhere. */
  readonly defaultBackend: string | null;
  /** Origins as browsers write them; `*` stands for any, on routes that take no cookie. */
  readonly allowedOrigins: readonly string[];
  /** In file order. */
  readonly mappings: readonly MappingSettings[];
  /** `routes:` and `services:` alike; no two have the same id, nor the same host and path. */
  readonly routes: readonly RouteSettings[];
  /** Those of the file; the operator adds more of them, and backends, at `/admin/pools`. */
  readonly pools: readonly PoolSettings[];
  /** The two of S4 included, unless the file says otherwise of their paths. */
  readonly workers: readonly WorkerSettings[];
  /** Routes that anybody gets a gateway token for; the first is the one a guest gets who names none. */
  readonly guestRoutes: readonly string[];
  readonly appMetrics: readonly AppMetricSettings[];
}

/** What a route takes for a credential: any of its list will do. */
export type RouteAuth = 'session' | 'apiKey' | 'token' | 'optionalToken' | 'none';

/**
 * What the upstream gets of the path: all of it, all but `/api`, or what follows the route's own path. Whichever it is,
 * the path of the target's URL goes before it.
 */
export type Rewrite = 'preserve' | 'strip-api' | 'strip-prefix';

/** So many requests of one client in so many seconds. */
export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** What holds for every request of a route. */
export interface RoutePolicy {
  /** Never empty. */
  readonly auth: readonly RouteAuth[];
  /** Whose tokens open the route, sent on as `X-Gateway-Route`; null: none. */
  readonly tokenRoute: string | null;
  /** Whether an `Authorization` that is not the gateway's own goes on to the upstream. */
  readonly forwardAuthorization: boolean;
  /** Whether the upstream gets the client's `Host`, or that of its own URL; one behind https always gets the latter. */
  readonly preserveHost: boolean;
  /** From the end of the request to the first byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly rateLimit: RateLimit | null;
  /** Requests in flight at the same time, of all clients together. */
  readonly maxInFlight: number;
  /** Whether answers are compressed where the upstream did not. */
  readonly compress: boolean;
}

/** An URL without a query; null where it comes from a variable that is not set. */
export type TargetSettings =
  { readonly kind: 'url'; readonly url: string | null } | { readonly kind: 'pool'; readonly pool: string };

export interface RouteSettings extends RoutePolicy {
  readonly id: string;
  readonly kind: 'route' | 'service';
  /** Lower-case, without a port; null: any. */
  readonly host: string | null;
  /** Starts with `/`, and ends with none unless it is `/`. */
  readonly path: string;
  readonly rewrite: Rewrite;
  readonly target: TargetSettings;
  /** What `GET /health/{id}` asks of a service; null for routes. */
  readonly healthPath: string | null;
}

/** A mapping of S1. */
export interface MappingSettings extends RoutePolicy {
  /** `mapping-1`, `mapping-2` … in file order, for logs and explanations. */
  readonly id: string;
  /** Lower-case. */
  readonly frontendHost: string;
  /** Null: any. */
  readonly frontendPort: number | null;
  /** Compared after `/api` is stripped, segment by segment; null: any path. */
  readonly pathPrefix: string | null;
  readonly backend: string;
}

export interface PoolSettings {
  readonly name: string;
  /** URLs, each once. */
  readonly backends: readonly string[];
  /** What is asked of each backend to see whether it is up. */
  readonly healthPath: string;
}

/** A path that workers call with an API key. */
export interface WorkerSettings {
  /** `GET`, `POST` …; HEAD goes where GET goes. */
  readonly method: string;
  readonly path: string;
  readonly pool: string;
  readonly upstreamPath: string;
  /** Null: any. */
  readonly workerTypes: readonly string[] | null;
  readonly timeoutMs: number;
}

/** A figure of the app, read by the monitor in each slice's database. */
export interface AppMetricSettings {
  readonly name: string;
  readonly sql: string;
}
