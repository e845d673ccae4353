export { EdgeAdapter } from './edge-adapter.js';
export {
  Forwarder,
  type ForwardOutcome,
  type ForwarderOptions,
  type ForwardTarget,
} from './forward/forwarder.js';
export { GOING_AWAY, LiveSockets, POLICY_VIOLATION, type SocketOwner } from './forward/live-sockets.js';
export { Upgrader, type UpgraderOptions, type UpgradeTarget } from './forward/upgrader.js';
export { GatewayCookies } from './headers/cookies.js';
export { identityHeaders, type UpstreamIdentity } from './headers/identity.js';
export { RequestHeaders, type RequestHeaderPolicy, type UpstreamContext } from './headers/request-headers.js';
export { ResponseHeaders } from './headers/response-headers.js';
export { answerError, answerOptions, refuseUpgrade } from './http/answer.js';
export { EdgeServer, type EdgeHandler, type EdgeServerOptions } from './http/edge-server.js';
export { isAmbiguous, matchesPrefix, type RequestPath } from './http/path.js';
export { asksTheGatewayItself, refuseUpgradeRequest, screenRequest } from './http/refusals.js';
export { SECURITY_HEADERS, type StaticHeader } from './http/security-headers.js';
export { Edge } from './edge/edge.js';
export { ProxyModule } from './proxy.module.js';
