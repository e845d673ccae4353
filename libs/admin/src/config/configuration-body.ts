import { createParamDecorator, type ExecutionContext, type RawBodyRequest } from '@nestjs/common';
import type { Request } from 'express';
import { validationFailed } from '#common';
import { type ConfigurationFormat, type SubmittedConfiguration, YAML_TYPES } from './schemas.js';

/** The configuration in a request's body, as text. */
export const ConfigurationBody = createParamDecorator(
  (_data: unknown, context: ExecutionContext): SubmittedConfiguration =>
    submittedIn(context.switchToHttp().getRequest<RawBodyRequest<Request>>()),
);

/** What the caller wants to see: JSON, unless YAML is asked for by name. */
export const PreferredFormat = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  formatFor(context.switchToHttp().getRequest<Request>()),
);

function submittedIn(request: RawBodyRequest<Request>): SubmittedConfiguration {
  const body: unknown = request.body;
  const raw = request.rawBody?.toString('utf8') ?? '';
  if (raw.trim() === '') throw validationFailed([{ path: '', message: 'is empty', line: null }]);
  if (typeof body === 'string') return { format: 'yaml', text: body };
  // A form has no lines; it is read as the object that it is.
  if (request.is('application/json') === false) return { format: 'json', text: JSON.stringify(body) };
  // Tabs stand in JSON between its parts only, where YAML does not always take them.
  return { format: 'json', text: raw.replaceAll('\t', ' ') };
}

function formatFor(request: Request): ConfigurationFormat {
  const preferred = request.accepts(['application/json', ...YAML_TYPES]);
  return preferred === false || preferred === 'application/json' ? 'json' : 'yaml';
}
