import { type INestApplicationContext, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { assertNever } from '#common';
import { type Access, accessOf } from './access.js';

type Handler = (...args: unknown[]) => unknown;

/** One route as the permission snapshot shows it. */
export interface RouteDescription {
  readonly method: string;
  readonly path: string;
  /** `undeclared` is refused by the guard, and is a mistake. */
  readonly access:
    'public' | 'session' | 'API key' | 'admin key' | 'admin key, session or token' | 'undeclared';
}

/**
 * Every route of the application's controllers with what it requires, sorted. A change of it is a change of
 * permissions, and is reviewed as one.
 * @param forwarded those that no controller has
 */
export function describeRoutes(
  app: INestApplicationContext,
  forwarded: readonly RouteDescription[] = [],
): RouteDescription[] {
  const reflector = app.get(Reflector);
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [
    ...module.controllers.values(),
  ]);
  const routes = controllers.flatMap(({ metatype }) =>
    isClass(metatype) ? routesOf(metatype, reflector) : [],
  );
  const others = forwarded.map(({ method, path, access }) => ({ method, path, access }));
  return [...routes, ...others].toSorted(
    (a, b) => a.path.localeCompare(b.path) || a.method.localeCompare(b.method),
  );
}

function routesOf(controller: Type, reflector: Reflector): RouteDescription[] {
  const prototype: Record<string, Handler> = controller.prototype;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    const method = handler && reflector.get<RequestMethod | undefined>(METHOD_METADATA, handler);
    if (handler === undefined || method === undefined) return [];
    const access = describe(accessOf(reflector, [handler, controller]));
    return pathsOf(controller, reflector).flatMap((prefix) =>
      pathsOf(handler, reflector).map((path) => ({
        method: RequestMethod[method],
        path: joined(prefix, path),
        access,
      })),
    );
  });
}

function isClass(metatype: unknown): metatype is Type {
  return typeof metatype === 'function';
}

function pathsOf(target: Parameters<Reflector['get']>[1], reflector: Reflector): string[] {
  return [reflector.get<string | string[]>(PATH_METADATA, target)].flat();
}

function joined(prefix: string, path: string): string {
  return `/${[prefix, path]
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`;
}

function describe(access: Access | undefined): RouteDescription['access'] {
  if (access === undefined) return 'undeclared';
  switch (access.kind) {
    case 'public':
      return 'public';
    case 'session':
      return 'session';
    case 'apiKey':
      return 'API key';
    case 'admin':
      return access.credential === 'key' ? 'admin key' : 'admin key, session or token';
    default:
      return assertNever(access);
  }
}
