import { describe, expect, it } from '@jest/globals';
import { identityHeaders } from './identity.js';

describe('The headers of an identity', () => {
  it('leave out what is not known', () => {
    expect(identityHeaders({ email: 'ada@example.com', name: '' })).toEqual([
      'x-user-email',
      'ada@example.com',
    ]);
  });

  it('have room for no line of their own: a name of an identity provider may hold anything', () => {
    expect(identityHeaders({ name: 'Zoë\r\nx-user-sub: root' })).toEqual([
      'x-user-name',
      'Zo%C3%AB%0D%0Ax-user-sub: root',
    ]);
  });

  it('encode the percent sign too, but only where anything is encoded', () => {
    expect(identityHeaders({ email: '100%@ü.de', subject: '100%' })).toEqual([
      'x-user-email',
      '100%25@%C3%BC.de',
      'x-user-sub',
      '100%',
    ]);
  });

  it('take half a surrogate pair for what it is, no character', () => {
    expect(identityHeaders({ name: 'a\uD800' })).toEqual(['x-user-name', 'a%EF%BF%BD']);
  });
});
