import type { SessionPrincipal } from '#auth';
import { ProxyError } from '#common';
import type { SliceLocation } from '#orchestrator';
import { identityHeaders } from '../headers/identity.js';

const STARTING_RETRY_SECONDS = 2;

/** Where the requests of a customer go. */
export interface SliceUpstream {
  readonly sliceId: number;
  readonly host: string;
  readonly port: number;
  /** A slice is on this host, or on a network of its own. */
  readonly tls: false;
  /** `http://host:port` */
  readonly origin: string;
}

/** A signed-in customer with all that a proxied request needs to know of them, made once and kept with the session. */
export interface Visitor {
  readonly kind: 'visitor';
  readonly principal: SessionPrincipal;
  /** Header lines: name, value, name, value … */
  readonly identity: readonly string[];
  readonly upstream: SliceUpstream | ProxyError;
  /**
   * When to look again, in milliseconds since the epoch: at the end of the session, of what its provider vouches for, or
   * of what is paid.
   */
  readonly knownUntil: number;
  /** When the session was last extended, in milliseconds since the epoch. */
  touchedAt: number;
}

/**
 * @param freshUntil when the session's provider is to be asked again; Infinity for a session by password
 * @param openUntil when the customer may not use the slice any more, unless that changes; null: not now either
 */
export function visitorOf(
  principal: SessionPrincipal,
  location: SliceLocation | null,
  freshUntil = Infinity,
  openUntil: number | null = Infinity,
): Visitor {
  const { email, name } = principal.user;
  return {
    kind: 'visitor',
    principal,
    identity: identityHeaders({ email, subject: principal.subject, name: name ?? undefined }),
    upstream: openUntil === null ? paymentRequired() : upstreamOf(location),
    knownUntil: Math.min(principal.expiresAt.getTime(), freshUntil, openUntil ?? Infinity),
    touchedAt: principal.lastSeenAt.getTime(),
  };
}

function paymentRequired(): ProxyError {
  return new ProxyError(
    'PAYMENT_REQUIRED',
    'Your subscription does not cover this now; your data stays. To subscribe, POST /billing/create-checkout and open ' +
      'the url it gives; to pay what is open, GET /billing/portal.',
  );
}

/** The slice's address, or what to tell a customer whose slice can't be asked. */
function upstreamOf(location: SliceLocation | null): SliceUpstream | ProxyError {
  if (location === null || location.desiredState === 'absent') {
    return new ProxyError(
      'NO_SLICE',
      'You have no slice yet. It is being prepared, or the operator has to assign one.',
    );
  }
  const { sliceId, desiredState, status, host, port } = location;
  if (desiredState === 'stopped')
    return new ProxyError('SLICE_STOPPED', 'Your slice is stopped. Ask the operator to start it.');
  if (status === 'failed')
    return new ProxyError(
      'SLICE_FAILED',
      'Your slice failed to start. It is tried again; the operator can see why.',
    );
  if (status !== 'active' || host === null || port === null) {
    return new ProxyError('SLICE_STARTING', 'Your slice is starting. Try again in a moment.', {
      retryAfterSeconds: STARTING_RETRY_SECONDS,
    });
  }
  return { sliceId, host, port, tls: false, origin: originOf(host, port) };
}

/** `http://host:port`, with the brackets of an IPv6 address (RFC 3986 §3.2.2). */
export function originOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
