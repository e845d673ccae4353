import type { DocumentBuilder } from '@nestjs/swagger';

export const SESSION_SCHEME = 'session';
export const TOKEN_SCHEME = 'adminToken';
export const API_KEY_SCHEME = 'apiKey';

const ADMIN_KEY_SCHEME = 'adminKey';
const ADMIN_BEARER_SCHEME = 'adminKeyAsBearer';

/** Either will do. */
export const ADMIN_KEY_SCHEMES: readonly string[] = [ADMIN_KEY_SCHEME, ADMIN_BEARER_SCHEME];

/** Describes in the OpenAPI document how to authenticate. */
export function addSecuritySchemes(document: DocumentBuilder, cookieName: string): DocumentBuilder {
  return document
    .addCookieAuth(
      cookieName,
      { type: 'apiKey', in: 'cookie', description: 'Set by POST /auth/register and POST /auth/login.' },
      SESSION_SCHEME,
    )
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'X-Admin-Key', description: 'ADMIN_KEY.' },
      ADMIN_KEY_SCHEME,
    )
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'ADMIN_KEY.' }, ADMIN_BEARER_SCHEME)
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'Issued by POST /auth/login to an admin.',
      },
      TOKEN_SCHEME,
    )
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: "A worker's key, made by POST /api/apikeys/generate." },
      API_KEY_SCHEME,
    );
}
