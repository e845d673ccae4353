import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { YAML_TYPES } from '#admin';
import { AllowedOrigins, corsOptions } from '#auth';
import { CoreError, Metrics, requestIdOf } from '#common';
import { SECURITY_HEADERS } from '#proxy';

const BODY_LIMIT = '100kb';
const CLIENT_CLOSED_REQUEST = 499;
const KNOWN_TYPES = ['application/json', 'application/x-www-form-urlencoded'];
/** The one endpoint that takes YAML. */
const CONFIGURATION_PATH = '/admin/config';

/** What stands before every endpoint of our own. Proxied traffic never comes here. */
export function useHttpStack(app: NestExpressApplication): void {
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(counted(app.get(Metrics)));
  app.use(ownHeaders);
  app.use(compression({ filter: isWorthCompressing }));
  app.enableCors(corsOptions(app.get(AllowedOrigins)));
  app.use(knownContentType);
  app.useBodyParser('json', { limit: BODY_LIMIT });
  app.useBodyParser('urlencoded', { limit: BODY_LIMIT, extended: false });
  app.useBodyParser('text', { limit: BODY_LIMIT, type: [...YAML_TYPES] });
}

/**
 * Counts the requests of our own endpoints, by the endpoint as it is declared: its path has names where a client's has
 * ids. Files and what is not found are counted together.
 */
function counted({ requests }: Metrics): RequestHandler {
  return (request, response, next) => {
    const begun = performance.now();
    response.once('close', () => {
      const path: unknown = Object(request.route).path;
      const route = typeof path === 'string' && !path.includes('*') ? path : 'files';
      const status = response.writableFinished ? response.statusCode : CLIENT_CLOSED_REQUEST;
      requests.of(route, 'own').count(request.method, status, (performance.now() - begun) / 1000);
    });
    next();
  };
}

/** The same headers as on proxied answers; nothing of our own is for a cache. */
function ownHeaders(request: Request, response: Response, next: NextFunction): void {
  for (const { name, value } of SECURITY_HEADERS) response.setHeader(name, value);
  response.setHeader('X-Request-Id', requestIdOf(request));
  response.setHeader('Cache-Control', 'no-store');
  // What CORS adds depends on who asks, also where it adds nothing.
  response.vary('Origin');
  next();
}

/** Ranges are of the file as it is, whatever it would be packed into (RFC 9110 §14.2). */
function isWorthCompressing(request: Request, response: Response): boolean {
  return !response.hasHeader('Content-Range') && compression.filter(request, response);
}

/** A body of another type would be skipped by the parsers, and then be called empty. */
function knownContentType(request: Request, _response: Response, next: NextFunction): void {
  const types = request.path === CONFIGURATION_PATH ? [...KNOWN_TYPES, ...YAML_TYPES] : KNOWN_TYPES;
  // `is` gives null where there is no body at all; fetch says `Content-Length: 0` for none.
  if (request.headers['content-length'] === '0' || request.is(types) !== false) {
    next();
    return;
  }
  next(new CoreError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json or as a urlencoded form.'));
}
