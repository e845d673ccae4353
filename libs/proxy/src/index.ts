export { EdgeAdapter } from './edge-adapter.js';
export { Edge } from './edge/edge.js';
export { SECURITY_HEADERS } from './http/security-headers.js';
export { ProxyModule } from './proxy.module.js';
