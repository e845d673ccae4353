import type { IncomingMessage } from 'node:http';
import type { Principal } from './principal.js';

/** Kept beside the request, not on it: nothing a client sends can ever be mistaken for it. */
const principals = new WeakMap<IncomingMessage, Principal>();

/** Remembers who was found to send this request. */
export function setPrincipal(request: IncomingMessage, principal: Principal): void {
  principals.set(request, principal);
}

/** Who sends this request; null on a public endpoint, where nobody asked. */
export function principalOf(request: IncomingMessage): Principal | null {
  return principals.get(request) ?? null;
}
