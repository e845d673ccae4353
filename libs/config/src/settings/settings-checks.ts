import { isOidcCallback, isOwnInAnyCase, isOwnWorkerPath } from './own-paths.js';
import { isOwnAddress, type OwnAddress } from './own-address.js';
import type { FileSettings } from './file-settings.js';
import { type RoutePlace, takesTokens } from './normalise.js';
import type { FileInput } from './schema.js';
import type { SettingsPath } from './settings-fault.js';

/** What a part is checked against that stands elsewhere. */
export interface SettingsSurroundings {
  readonly own: OwnAddress;
  /** OIDC_REDIRECT_PATH. */
  readonly oidcPath: string;
}

type Report = (path: SettingsPath, message: string) => void;

const MISSES_TOKEN = 'needs token or optionalToken in auth';

/** What no part can tell of itself. No message repeats a value: it can come from a variable. */
export function checkSettings(
  { input, settings, routes }: { input: FileInput; settings: FileSettings; routes: readonly RoutePlace[] },
  { own, oidcPath }: SettingsSurroundings,
  report: Report,
): void {
  checkIds(routes, report);
  checkPaths(routes, oidcPath, report);
  checkTokens(input, routes, report);
  checkPools(input, routes, report);
  checkWorkers(settings, oidcPath, input.workers?.length ?? 0, report);
  checkMetrics(settings, report);
  for (const { path, url } of targets(settings, routes)) {
    if (isOwnAddress(url, own)) report(path, 'leads back to Sluice itself');
  }
}

function checkIds(routes: readonly RoutePlace[], report: Report): void {
  reportRepeated(
    routes.map(({ at, route }) => ({ key: route.id, path: at[0] === 'routes' ? [...at, 'id'] : at })),
    report,
  );
  for (const { at, route } of routes) {
    if (/^mapping-\d+$/.test(route.id))
      report(at, 'must not be called as the mappings are: mapping-1 and so on');
  }
}

function checkPaths(routes: readonly RoutePlace[], oidcPath: string, report: Report): void {
  const places = routes.map(({ at, route }) => ({
    key: `${route.host ?? '*'} ${route.path}`,
    path: [...at, 'path'],
  }));
  reportRepeated(places, report, ', for the same host');
  for (const { at, route } of routes) {
    if (isOwnInAnyCase(route.path) || isOidcCallback(route.path, oidcPath)) {
      report([...at, 'path'], "belongs to Sluice's own endpoints");
    }
    // Of any other path as many letters would be taken off, whatever they are.
    if (route.rewrite === 'strip-api' && !/^\/api(?:\/|$)/.test(route.path)) {
      report([...at, 'rewrite'], 'can be strip-api only where the path begins with /api');
    }
  }
}

function checkTokens(input: FileInput, routes: readonly RoutePlace[], report: Report): void {
  for (const { at, route } of routes) {
    const said = at[0] === 'routes' ? input.routes?.[Number(at[1])] : input.services?.[route.id];
    if (!takesTokens(route.auth) && said?.tokenRoute !== undefined)
      report([...at, 'tokenRoute'], MISSES_TOKEN);
  }
  for (const [i, { auth = [], tokenRoute }] of (input.mappings ?? []).entries()) {
    const at = ['mappings', i, 'tokenRoute'];
    const takes = takesTokens(auth);
    if (takes && tokenRoute === undefined) report(at, 'is required where auth has token or optionalToken');
    if (!takes && tokenRoute !== undefined) report(at, MISSES_TOKEN);
  }
}

function checkPools({ pools = {} }: FileInput, routes: readonly RoutePlace[], report: Report): void {
  for (const { at, route } of routes) {
    if (route.target.kind === 'pool' && !Object.hasOwn(pools, route.target.pool)) {
      report(
        [...at, 'pool'],
        'is not declared under pools; one with backends from /admin/pools alone is declared as {}',
      );
    }
  }
  for (const [name, { backends = [] }] of Object.entries(pools)) {
    reportRepeated(
      backends.map((url, i) => ({ key: url, path: ['pools', name, 'backends', i] })),
      report,
    );
  }
}

/** @param declared how many of them are the file's; those that exist without it come after */
function checkWorkers({ workers }: FileSettings, oidcPath: string, declared: number, report: Report): void {
  const ofFile = workers.slice(0, declared);
  reportRepeated(
    ofFile.map(({ method, path }, i) => ({ key: `${method} ${path}`, path: ['workers', i, 'path'] })),
    report,
    ', for the same method',
  );
  for (const [i, { path }] of ofFile.entries()) {
    const isFree = isOwnWorkerPath(path) || !isOwnInAnyCase(path);
    if (!isFree || isOidcCallback(path, oidcPath)) {
      report(['workers', i, 'path'], "belongs to Sluice's own endpoints");
    }
  }
}

function checkMetrics({ appMetrics }: FileSettings, report: Report): void {
  reportRepeated(
    appMetrics.map(({ name }, i) => ({ key: name, path: ['appMetrics', i, 'name'] })),
    report,
  );
}

/** Every URL that requests are sent to, with where it stands. */
function* targets(
  settings: FileSettings,
  routes: readonly RoutePlace[],
): Generator<{ readonly path: SettingsPath; readonly url: string }> {
  if (settings.defaultBackend !== null) yield { path: ['defaultBackend'], url: settings.defaultBackend };
  for (const [i, { backend }] of settings.mappings.entries()) {
    yield { path: ['mappings', i, 'backend'], url: backend };
  }
  for (const { at, route } of routes) {
    const key = at[0] === 'routes' ? 'target' : 'url';
    const { target } = route;
    if (target.kind === 'url' && target.url !== null) yield { path: [...at, key], url: target.url };
  }
  for (const { name, backends } of settings.pools) {
    for (const [i, url] of backends.entries()) yield { path: ['pools', name, 'backends', i], url };
  }
}

/** Reports each that has the key of one before it, naming that one by its place. */
function reportRepeated(
  places: ReadonlyArray<{ readonly key: string; readonly path: SettingsPath }>,
  report: Report,
  addition = '',
): void {
  const first = new Map<string, SettingsPath>();
  for (const { key, path } of places) {
    const before = first.get(key);
    if (before === undefined) first.set(key, path);
    else report(path, `is that of ${before.join('.')} as well${addition}`);
  }
}
