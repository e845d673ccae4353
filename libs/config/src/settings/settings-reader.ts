import { detailsOf } from '#common';
import { freeze } from '../freeze.js';
import type { FileSettings } from './file-settings.js';
import { upstreamUrl } from './fields.js';
import { interpolate } from './interpolate.js';
import { normalise, routePlaces } from './normalise.js';
import { readYaml, type YamlReading } from './read-yaml.js';
import { type FileInput, settingsSchema } from './schema.js';
import { checkSettings, type SettingsSurroundings } from './settings-checks.js';
import type { SettingsFault, SettingsPath } from './settings-fault.js';
import { Variables } from './variables.js';

const MAX_FAULTS = 50;

/** What a text says as it stands, its variables left alone. */
export type SaidSettings = Readonly<Record<string, unknown>>;

/** A text that was read, or every reason why it can't be used. */
export type SettingsReading =
  | { readonly settings: FileSettings; readonly said: SaidSettings; readonly faults: readonly [] }
  | { readonly settings: null; readonly said: null; readonly faults: readonly SettingsFault[] };

/** Reads texts of config.yml, by the environment that this gateway was started with. */
export class SettingsReader {
  private readonly variables: Variables;

  /** @param surroundings null where they are faulty themselves: what depends on them is not checked then */
  constructor(
    environment: NodeJS.ProcessEnv,
    private readonly surroundings: SettingsSurroundings | null,
  ) {
    this.variables = new Variables(environment);
  }

  /**
   * @param text YAML or JSON
   * @param ownUrl where this gateway is, if it has found out only since it listens
   */
  read(text: string, ownUrl: string | null = null): SettingsReading {
    const yaml = readYaml(text);
    const faults = new Faults(yaml);
    const said = yaml.value ?? {};
    const parsed = this.parse(said, faults);
    if (parsed === null || !faults.isEmpty || !isObject(said)) return faults.asReading();

    const urls = this.targetsOfEnvironment(parsed, faults);
    const routes = routePlaces(parsed, (id) => urls.get(id));
    const settings = normalise(parsed, routes);
    if (this.surroundings !== null) {
      const { own, oidcPath } = this.surroundings;
      const surroundings = { own: { ...own, appUrl: own.appUrl ?? ownUrl }, oidcPath };
      checkSettings({ input: parsed, settings, routes }, surroundings, faults.add);
    }
    return faults.isEmpty ? { settings: freeze(settings), said, faults: [] } : faults.asReading();
  }

  /** What a text says that was read before; nothing of it is checked. */
  saidIn(text: string): SaidSettings {
    const { value } = readYaml(text);
    return isObject(value) ? value : {};
  }

  private parse(said: unknown, faults: Faults): FileInput | null {
    const filled = interpolate(said, { variables: this.variables, onFault: faults.add });
    const parsed = settingsSchema.safeParse(filled);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
      const details = detailsOf([issue]);
      for (const [i, { message }] of details.entries()) {
        const path = issue.path.map(step);
        faults.add(unknown[i] === undefined ? path : [...path, unknown[i]], message);
      }
    }
    return null;
  }

  /** The targets that variables give, by the id of their route. */
  private targetsOfEnvironment(
    { routes = [], services = {} }: FileInput,
    faults: Faults,
  ): Map<string, string> {
    const urls = new Map<string, string>();
    const places: (readonly [string, SettingsPath, boolean])[] = [
      ...routes.map(({ id, pool }, i) => [id, ['routes', i], pool !== undefined] as const),
      ...Object.entries(services).map(
        ([id, { pool }]) => [id, ['services', id], pool !== undefined] as const,
      ),
    ];
    for (const [id, path, hasPool] of places) {
      const named = hasPool ? undefined : this.variables.urlOf(id);
      if (named === undefined) continue;
      const url = upstreamUrl.safeParse(named.value);
      if (url.success) urls.set(id, url.data);
      else faults.add(path, `takes its URL from ${named.name}, which ${url.error.issues[0]?.message ?? ''}`);
    }
    return urls;
  }
}

/** The faults of one text; of each part the first, since others may come of it. */
class Faults {
  private readonly found: SettingsFault[];
  private readonly faulty: Set<string>;

  constructor(private readonly yaml: YamlReading) {
    this.found = [...yaml.faults];
    this.faulty = new Set(this.found.map(({ path }) => path));
  }

  get isEmpty(): boolean {
    return this.found.length === 0;
  }

  readonly add = (path: SettingsPath, message: string): void => {
    const name = dotted(path);
    if (this.faulty.has(name)) return;
    this.faulty.add(name);
    this.found.push({ path: name, line: this.yaml.lineOf(path), message });
  };

  /** The first of them, in the order of the text. */
  asReading(): SettingsReading {
    const inOrder = this.found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
    return { settings: null, said: null, faults: inOrder.slice(0, MAX_FAULTS) };
  }
}

function dotted(path: SettingsPath): string {
  const text = path.join('.');
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

function step(key: PropertyKey): string | number {
  return typeof key === 'symbol' ? String(key) : key;
}

function isObject(value: unknown): value is SaidSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
