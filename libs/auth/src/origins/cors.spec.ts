import { describe, expect, it } from '@jest/globals';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.js';

const OWN = 'https://app.example.com';
const origins = { allows: (origin: string) => origin === OWN };

describe('CORS of proxied answers', () => {
  it('names an allowed origin, with credentials, and never a wildcard', () => {
    expect(corsHeaders(OWN, origins)).toEqual({
      'access-control-allow-origin': OWN,
      'access-control-allow-credentials': 'true',
    });
  });

  it.each([undefined, 'https://evil.example', 'null', '*'])('adds nothing for the origin %s', (origin) => {
    expect(corsHeaders(origin, origins)).toEqual({});
    expect(preflightHeaders(origin, origins)).toEqual({});
  });

  it('answers a preflight for a day', () => {
    expect(preflightHeaders(OWN, origins)).toEqual({
      'access-control-allow-origin': OWN,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET,POST,PUT,DELETE,PATCH,OPTIONS',
      'access-control-allow-headers': 'Content-Type,Authorization',
      'access-control-max-age': '86400',
    });
  });

  it('names everybody by * where it is configured so, and no cookie counts', () => {
    const any = { ...origins, allowsAnyWithoutCookie: true };
    expect(corsHeaders('https://evil.example', any, true)).toEqual({ 'access-control-allow-origin': '*' });
    expect(corsHeaders('https://evil.example', any)).toEqual({});
    expect(preflightHeaders('https://evil.example', any, true)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-max-age': '86400',
    });
    expect(preflightHeaders('https://evil.example', any)).toEqual({});
  });

  it('tells a preflight from an OPTIONS request of the app', () => {
    const preflight = { origin: OWN, 'access-control-request-method': 'PUT' };
    expect(isPreflight('OPTIONS', preflight)).toBe(true);
    expect(isPreflight('GET', preflight)).toBe(false);
    expect(isPreflight('OPTIONS', { origin: OWN })).toBe(false);
    expect(isPreflight('OPTIONS', {})).toBe(false);
  });
});
