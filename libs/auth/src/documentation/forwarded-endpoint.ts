import type { OpenAPIObject } from '@nestjs/swagger';
import { type ErrorCode, statusOf } from '#common';
import { API_KEY_SCHEME } from './security-schemes.js';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

/** An endpoint that no controller has: what answers it is an upstream, if Sluice itself does not refuse it. */
export interface ForwardedEndpoint {
  readonly method: 'GET' | 'POST';
  /** As a controller has it: `:name` for a parameter. */
  readonly path: string;
  readonly access: 'public' | 'API key';
  readonly tag: string;
  /** Names it in clients that are made from the document. */
  readonly operationId: string;
  readonly summary: string;
  /** What the upstream answers. */
  readonly answer: string;
  /** What it gets of a body; null: nothing. */
  readonly body: string | null;
  /** What Sluice itself answers instead. */
  readonly errors: readonly ErrorCode[];
}

/** Nobody but the upstream knows what it says. */
const ANYTHING = { '*/*': { schema: {} } };

/** These endpoints as the paths of an OpenAPI document, which has the schema `Error`. */
export function pathsOfForwarded(endpoints: readonly ForwardedEndpoint[]): OpenAPIObject['paths'] {
  return Object.fromEntries(endpoints.map((endpoint) => [templateOf(endpoint.path), itemOf(endpoint)]));
}

function itemOf(endpoint: ForwardedEndpoint): PathItem {
  return { [endpoint.method.toLowerCase()]: operationOf(endpoint) };
}

function operationOf({
  operationId,
  path,
  access,
  tag,
  summary,
  answer,
  body,
  errors,
}: ForwardedEndpoint): Operation {
  return {
    operationId,
    parameters: [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
      name,
      required: true,
      in: 'path',
      schema: { type: 'string' },
    })),
    ...(body === null ? {} : { requestBody: { description: body, content: ANYTHING } }),
    responses: { 200: { description: answer, content: ANYTHING }, ...errorsOf(errors) },
    ...(access === 'public' ? {} : { security: [{ [API_KEY_SCHEME]: [] }] }),
    summary,
    tags: [tag],
  };
}

function errorsOf(codes: readonly ErrorCode[]): Operation['responses'] {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries(
    [...Map.groupBy(codes, statusOf)].map(([status, ofStatus]) => [
      status,
      { description: ofStatus.join(', '), content },
    ]),
  );
}

function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}
