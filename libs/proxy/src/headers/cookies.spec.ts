import { describe, expect, it } from '@jest/globals';
import { GatewayCookies } from './cookies.js';

const SECRET = 'A'.repeat(43);

/** As the gateway has them: the session's by its name, and those of sign-ins under way by what their names begin with. */
const cookies = new GatewayCookies(['session'], ['__Host-session_login_']);

describe('cookies whose names only begin as the gateway has laid down', () => {
  it.each(['session_login_AbC-_123', '__Host-session_login_AbC-_123', '__secure-session_login_'])(
    'are its own: %s',
    (name) => {
      expect(cookies.owns(name)).toBe(true);
      expect(cookies.stripFromRequest(`a=1; ${name}=${SECRET}; b=2`)).toBe('a=1; b=2');
      expect(cookies.secretsIn(`a=1; ${name}=${SECRET}`)).toEqual([SECRET]);
      expect(cookies.ownsSetCookie(`${name}=x; Path=/`)).toBe(true);
      expect(cookies.ownsSetCookie(`=${name}=x`)).toBe(true);
    },
  );

  it.each(['session_log', 'my_session_login_AbC', 'login_'])('and no others are: %s', (name) => {
    expect(cookies.stripFromRequest(`${name}=${SECRET}`)).toBe(`${name}=${SECRET}`);
    expect(cookies.ownsSetCookie(`${name}=x`)).toBe(false);
  });

  it('are its own without a whole name among them, too', () => {
    const alone = new GatewayCookies([], ['login_']);
    expect(alone.stripFromRequest('login_x=1')).toBeNull();
    expect(alone.ownsSetCookie('login_x=1')).toBe(true);
  });
});
