export { EdgeAdapter } from './edge-adapter.js';
export { CustomerAccess } from './edge/customer-access.js';
export { Edge } from './edge/edge.js';
export { LiveSockets } from './forward/live-sockets.js';
export { ConnectionLimits } from './http/connection-limits.js';
export { matchesPrefix } from './http/path.js';
export { SECURITY_HEADERS } from './http/security-headers.js';
export { ProxyModule } from './proxy.module.js';
export { FORWARDED_ENDPOINTS } from './routing/forwarded-endpoints.js';
export { rewritten, type Route, type SliceRoute, type UpstreamRoute } from './routing/route.js';
export { Routes } from './routing/routes.js';
export { BackendProber, ProbeOptions } from './targets/backend-prober.js';
export { type BackendState } from './targets/backend.js';
export { Backends, canonicalUrl } from './targets/backends.js';
export {
  type BackendDefinition,
  type DeclaredBy,
  DEFAULT_HEALTH_PATH,
  type PoolDefinition,
  STANDING_POOLS,
} from './targets/pool-definitions.js';
export { PoolStore } from './targets/pool-store.js';
export { Pools } from './targets/pools.js';
