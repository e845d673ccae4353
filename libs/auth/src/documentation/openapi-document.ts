import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { loadSwagger } from '#common';
import { codesOf } from './api-errors.js';
import { type ForwardedEndpoint, pathsOfForwarded } from './forwarded-endpoint.js';
import { addSecuritySchemes } from './security-schemes.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

export interface DocumentOptions {
  readonly version: string;
  /** `SESSION_COOKIE_NAME`. */
  readonly cookieName: string;
  /** What no controller has. */
  readonly forwarded: readonly ForwardedEndpoint[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'options', 'head'] as const;

const DESCRIPTION = `Everything Sluice answers by itself. What it proxies to a customer's slice is the app's own API. The routes,
services, mappings and workers' paths of config.yml are the operator's own: \`GET /admin/routes/explain\` tells where a
request goes by them.

Every error has the shape \`Error\`: branch on its \`code\`, which is stable, and show its \`message\`. The codes an
endpoint answers with stand beside it. Any endpoint can answer these as well: 400 \`BAD_REQUEST\`, 413
\`BODY_TOO_LARGE\`, 414 \`URI_TOO_LONG\`, 415 \`UNSUPPORTED_MEDIA_TYPE\` and 431 \`HEADERS_TOO_LARGE\` to a request that
can not be read, 400 \`INVALID_JSON\` to a malformed body, 500 \`INTERNAL_ERROR\` to a defect of Sluice.`;

/**
 * The OpenAPI document of an application. It lives here because nothing below knows how one authenticates, and
 * everybody above may show the document. The application need not run: Nest's preview mode will do.
 */
export async function openApiDocument(
  app: INestApplication,
  options: DocumentOptions,
): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await loadSwagger();
  const builder = new DocumentBuilder()
    .setTitle('Sluice')
    .setVersion(options.version)
    .setDescription(DESCRIPTION)
    .setLicense('MIT', 'https://opensource.org/license/mit');
  const document = SwaggerModule.createDocument(app, addSecuritySchemes(builder, options.cookieName).build());
  const { paths: ofControllers, components, ...head } = document;
  const paths = { ...ofControllers, ...pathsOfForwarded(options.forwarded) };
  for (const path of Object.values(paths)) {
    for (const method of METHODS) {
      if (path[method] === undefined) continue;
      tidyErrors(path[method], method);
      tidyBody(path[method]);
    }
  }
  return {
    ...head,
    paths: sorted(paths),
    components: { ...components, schemas: sorted(components?.schemas ?? {}) },
  };
}

/**
 * Decorators add their codes one after the other; a reader wants each once. What requires a cookie also says
 * CSRF_REJECTED, which is for unsafe methods only.
 */
function tidyErrors({ responses }: Operation, method: (typeof METHODS)[number]): void {
  for (const [status, response] of Object.entries(responses)) {
    if (response === undefined || !('content' in response) || Number(status) < 400) continue;
    if (!isError(response.content)) continue;
    const codes = codesOf(response.description).filter(
      (code) => method !== 'get' || code !== 'CSRF_REJECTED',
    );
    if (codes.length === 0) delete responses[status];
    else response.description = codes.join(', ');
  }
}

/** @nestjs/swagger requires every body; one whose schema has a default may be left out. */
function tidyBody({ requestBody }: Operation): void {
  if (requestBody === undefined || !('content' in requestBody)) return;
  const schemas = Object.values(requestBody.content).map(({ schema }) => schema);
  if (schemas.every((schema) => schema !== undefined && 'default' in schema)) requestBody.required = false;
}

/** A status from 400 on may carry another body: `/health` says with 503 what is down. */
function isError(content: object = {}): boolean {
  return JSON.stringify(content).includes('#/components/schemas/Error"');
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
