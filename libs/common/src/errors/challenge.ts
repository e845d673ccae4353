/**
 * What a 401 says of how to authenticate (RFC 9110 §15.5.2 requires it). Of what is taken here only bearer tokens have a
 * scheme to name (RFC 6750 §3); a browser shows no dialog for it.
 */
export const CHALLENGE = 'Bearer realm="Sluice"';
