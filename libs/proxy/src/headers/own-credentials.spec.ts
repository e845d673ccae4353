import { describe, expect, it } from '@jest/globals';
import { OwnCredentials } from './own-credentials.js';

const OURS = `eyJhbGciOiJIUzI1NiJ9.eyJwcm9qZWN0SWQiOiJhIn0.${'o'.repeat(43)}`;
const APPS = `eyJhbGciOiJIUzI1NiJ9.eyJwcm9qZWN0SWQiOiJhIn0.${'a'.repeat(43)}`;
const ADMIN_KEY = "operator's key = 1";
const SESSION = 's'.repeat(43);
const KEY = `slu_${'k'.repeat(43)}`;

const own = new OwnCredentials((token) => token === OURS || token.startsWith('slu_'), ADMIN_KEY);
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('a credential of the gateway', () => {
  it.each([
    OURS,
    KEY,
    `Token ${OURS}`,
    `token="${OURS}"`,
    `["${OURS}"]`,
    `a, ${APPS}, ${KEY}`,
    `bearer, ${OURS}`,
    `https://app.example.com/?access_token=${OURS}&x=1`,
    `access.token.${OURS}`,
    `/app?next=${encodeURIComponent(`/x?token=${OURS}`)}`,
    ADMIN_KEY,
    `k="${ADMIN_KEY}"; q=1`,
    encodeURIComponent(ADMIN_KEY),
    `100%&key=${encodeURIComponent(ADMIN_KEY).toLowerCase()}`,
  ])('is found in %s', (text) => {
    expect(own.standIn(text)).toBe(true);
  });

  it.each([
    '',
    'text/html',
    'eyJ',
    APPS,
    `x${KEY}`,
    'Mozilla/5.0 (X11; Linux x86_64) slug_and_more',
    OURS.slice(0, -1),
    ADMIN_KEY.slice(0, -1),
    SESSION,
    '100% of %zz and %',
  ])('is not found in %j', (text) => {
    expect(own.standIn(text)).toBe(false);
  });

  it.each([
    `Bearer ${OURS}`,
    `bearer\t${KEY}`,
    `JWT ${OURS}`,
    basic('x', KEY),
    basic(KEY, ''),
    `ApiKey ${KEY}`,
    `Bearer ${ADMIN_KEY}`,
    basic('x', ADMIN_KEY),
    basic(ADMIN_KEY, ''),
  ])('is found in the Authorization %s', (value) => {
    expect(own.standInAuthorization(value)).toBe(true);
  });

  it.each([
    `Bearer ${APPS}`,
    basic('ada', 'a password of hers, not of ours at all'),
    'Digest username="ada"',
    '',
  ])('is not found in the Authorization %j', (value) => {
    expect(own.standInAuthorization(value)).toBe(false);
  });

  it('is taken out of cookies, and the others stay word for word', () => {
    expect(own.stripCookies(`a=1; token=${OURS}; b="2 "; key=${KEY}`)).toBe('a=1; b="2 "');
    expect(own.stripCookies(`token=${OURS}`)).toBeNull();
    expect(own.stripCookies(`jwt=${APPS};  b=2`)).toBe(`jwt=${APPS};  b=2`);
  });

  it('is taken out of a query, and the rest stays word for word', () => {
    expect(own.stripQuery(`?a=%20&token=${OURS}&b&&key=${KEY}&c=1+2`)).toBe('?a=%20&b&&c=1+2');
    expect(own.stripQuery(`?token=${OURS}`)).toBe('');
    expect(own.stripQuery(`?jwt=${APPS}&b=2`)).toBe(`?jwt=${APPS}&b=2`);
  });

  it('is taken out with all that stands beside it where it spans several pairs', () => {
    const odd = new OwnCredentials(() => false, 'a key; with & signs');
    expect(odd.stripCookies('b=2; k=a key; with & signs')).toBeNull();
    expect(odd.stripQuery('?b=2&k=a key; with & signs')).toBe('');
  });

  it('is a session id as well, for the request that presents it', () => {
    const sessions = [SESSION];
    expect(own.standIn(`Session ${SESSION}`, sessions)).toBe(true);
    expect(own.standInAuthorization(basic('ada', SESSION), sessions)).toBe(true);
    expect(own.stripCookies(`a=1; sid=${SESSION}`, sessions)).toBe('a=1');
    expect(own.stripQuery(`?a=1&sid=${SESSION}`, sessions)).toBe('?a=1');
    expect(own.stripQuery(`?a=1&sid=${'t'.repeat(43)}`, sessions)).toBe(`?a=1&sid=${'t'.repeat(43)}`);
  });

  it('is looked for in time that grows with the text, whatever the text', () => {
    const checked: string[] = [];
    const patient = new OwnCredentials((token) => {
      checked.push(token);
      return false;
    }, ADMIN_KEY);
    for (const text of ['eyJ'.repeat(6000), 'eyJ.'.repeat(4000), 'eyJa.'.repeat(3000), 'slu'.repeat(6000)]) {
      patient.standIn(text);
    }
    expect(checked).toEqual([]);
    patient.standIn(`eyJa.b.${'c'.repeat(43)} `.repeat(300));
    expect(checked).toHaveLength(300);
  });
});
