import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from '#auth';
import { AuthApp } from '../../support/auth-app.js';

describe('the OpenAPI document', () => {
  it('describes bodies, answers, errors and credentials of every auth endpoint', async () => {
    await using app = await AuthApp.start();
    const options = { version: '1', cookieName: 'session', forwarded: [] };
    const document = await openApiDocument(app.nest, options);

    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/auth/login',
        '/auth/logout',
        '/auth/me',
        '/auth/register',
        '/auth/totp/enroll',
      ]),
    );
    const register = document.paths['/auth/register']?.post;
    expect(Object.keys(register?.responses ?? {})).toEqual([
      '201',
      '400',
      '403',
      '409',
      '413',
      '415',
      '429',
      '503',
    ]);
    expect(register?.requestBody).toMatchObject({
      content: {
        'application/json': { schema: { required: ['email', 'password'], additionalProperties: false } },
      },
    });
    expect(register?.responses['201']).toMatchObject({
      content: { 'application/json': { schema: { required: ['user', 'sliceAssigned', 'slice'] } } },
    });
    expect(register?.responses['429']).toMatchObject({
      description: expect.stringMatching(/(?=[^]*\bLOGIN_BUSY\b)(?=[^]*\bRATE_LIMITED\b)/),
    });
    expect(document.paths['/auth/me']?.get).toMatchObject({
      security: [{ session: [] }],
      responses: { 401: { description: expect.stringContaining('UNAUTHENTICATED') } },
    });
    expect(Object.keys(document.components?.schemas ?? {})).toEqual(
      expect.arrayContaining(['User', 'CustomerSlice']),
    );
    expect(Object.keys(document.components?.securitySchemes ?? {}).toSorted()).toEqual([
      'adminKey',
      'adminKeyAsBearer',
      'adminToken',
      'apiKey',
      'session',
    ]);
  });
});
