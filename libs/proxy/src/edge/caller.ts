import type { IncomingMessage } from 'node:http';
import { type ApiKeyPrincipal, machineOf, type TokenPrincipal } from '#auth';
import { clientIp, type TrustProxy } from '#common';
import { identityHeaders } from '../headers/identity.js';
import type { Visitor } from './visitor.js';

/** Somebody who shows no credential, or none that counts on the route. */
export interface Anybody {
  readonly kind: 'anybody';
  readonly principal: null;
  readonly identity: readonly string[];
}

/** A worker, or the bearer of a gateway token. */
export interface Bearer {
  readonly kind: 'bearer';
  readonly principal: ApiKeyPrincipal | TokenPrincipal;
  /** Header lines: name, value, name, value … */
  readonly identity: readonly string[];
}

/** For whom a request is proxied, and what its upstream is told of them. */
export type AdmittedCaller = Anybody | Bearer | Visitor;

export const ANYBODY: Anybody = { kind: 'anybody', principal: null, identity: [] };

/** Upstreams are told who an admin is; guests and workers have no address to tell. */
export function bearerOf(principal: Bearer['principal']): Bearer {
  const user = principal.kind === 'token' ? principal.user : null;
  const identity =
    user === null
      ? []
      : identityHeaders({ email: user.email, subject: user.id, name: user.name ?? undefined });
  return { kind: 'bearer', principal, identity };
}

/** Whose requests and connections are counted together: an account's, an API key's, or those of one machine. */
export function clientNameOf(
  req: IncomingMessage,
  { kind, principal }: AdmittedCaller,
  trustProxy: TrustProxy,
): string {
  if (kind === 'visitor') return `user:${principal.user.id}`;
  if (principal?.kind === 'apiKey') return `key:${principal.id}`;
  if (principal?.kind === 'token' && principal.user !== null) return `user:${principal.user.id}`;
  return `from:${machineOf(clientIp(req, trustProxy))}`;
}
