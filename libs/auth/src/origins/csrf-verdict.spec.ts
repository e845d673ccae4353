import { describe, expect, it } from '@jest/globals';
import { csrfVerdict, type RequestProvenance } from './csrf-verdict.js';

const OWN = 'https://app.example.com';
const allows = (origin: string): boolean => origin === OWN;

function verdict(from: Partial<RequestProvenance>): string {
  return csrfVerdict(
    { method: 'POST', origin: undefined, referer: undefined, secFetchSite: undefined, ...from },
    allows,
  );
}

const ORIGINS = [undefined, OWN, 'https://evil.example', 'null'];
const REFERERS = [undefined, `${OWN}/page?x`, 'https://evil.example/', 'nonsense'];
const SITES = [undefined, 'same-origin', 'none', 'same-site', 'cross-site', 'nonsense'];

describe('csrfVerdict', () => {
  it.each(['GET', 'HEAD', 'OPTIONS'])('lets the safe method %s through, wherever it comes from', (method) => {
    expect(verdict({ method, origin: 'https://evil.example', secFetchSite: 'cross-site' })).toBe('allowed');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'PROPFIND'])('looks at %s', (method) => {
    expect(verdict({ method, origin: 'https://evil.example' })).toBe('rejected');
  });

  it('lets through what says nothing of a browser', () => {
    expect(verdict({})).toBe('allowed');
    expect(verdict({ method: 'GET', upgrade: true })).toBe('allowed');
  });

  it('needs each header that is there to be allowed', () => {
    for (const origin of ORIGINS) {
      for (const referer of REFERERS) {
        for (const secFetchSite of SITES) {
          const good =
            (origin === undefined || origin === OWN) &&
            (referer === undefined || referer.startsWith(`${OWN}/`)) &&
            (secFetchSite === undefined ||
              ['same-origin', 'none'].includes(secFetchSite) ||
              (['same-site', 'cross-site'].includes(secFetchSite) && origin === OWN));
          const from = { origin, referer, secFetchSite };
          expect({ from, verdict: verdict(from) }).toEqual({ from, verdict: good ? 'allowed' : 'rejected' });
        }
      }
    }
  });

  it.each([
    'https://app.example.com.evil.example/',
    'https://evil.example/https://app.example.com/',
    'https://app.example.com@evil.example/',
    'http://app.example.com/',
  ])('is not taken in by the referer %s', (referer) => {
    expect(verdict({ referer })).toBe('rejected');
  });

  it('needs an allowed origin for the upgrade of a browser, though that is a GET', () => {
    const upgrade = { method: 'GET', upgrade: true };
    expect(verdict({ ...upgrade, origin: OWN, secFetchSite: 'same-origin' })).toBe('allowed');
    expect(verdict({ ...upgrade, origin: OWN, secFetchSite: 'cross-site' })).toBe('allowed');
    expect(verdict({ ...upgrade, origin: 'https://evil.example' })).toBe('rejected');
    expect(verdict({ ...upgrade, secFetchSite: 'same-origin' })).toBe('rejected');
  });
});
