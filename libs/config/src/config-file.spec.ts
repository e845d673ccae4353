import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';
import { readConfigFile } from './config-file.js';
import { loadConfig } from './load-config.js';

describe('config.yml', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-config-file-'));
    file = join(folder, 'config.yml');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The routes of guests by a file with this text. */
  function guestRoutes(text: string): readonly string[] | undefined {
    writeFileSync(file, text);
    return readConfigFile(file).settings?.guestRoutes;
  }

  /** The faults of a file with this text, the folder left out. */
  function faults(text: string): string[] {
    writeFileSync(file, text);
    return readConfigFile(file).faults.map((fault) => fault.replace(`${folder}/`, ''));
  }

  it('need not exist, and may be empty', () => {
    expect(readConfigFile(join(folder, 'none.yml')).settings).toMatchObject({ guestRoutes: ['build'] });
    for (const text of ['', '# nothing yet\n', '---\n', 'null\n'])
      expect(guestRoutes(text)).toEqual(['build']);
  });

  it('names the routes that are open to guests, and may name none', () => {
    expect(guestRoutes('guest: { routes: [preview, build] }')).toEqual(['preview', 'build']);
    expect(guestRoutes('guest:\n  routes: []\n')).toEqual([]);
  });

  it('leaves to others the parts that they read', () => {
    const text =
      'defaultBackend: http://b:1\nallowedOrigins: []\nmappings: []\nservices: {}\nroutes: []\npools: {}\nworkers: []\nappMetrics: []\n';
    expect(guestRoutes(text)).toEqual(['build']);
  });

  it('tells every fault at once, with its line', () => {
    expect(
      faults('gest: {}\nguest:\n  routes:\n    - ok\n    - "../etc"\n    - core\n    - 7\nrutes: []\n'),
    ).toEqual([
      'config.yml:5: guest.routes.1 must be the id of a route',
      'config.yml:6: guest.routes.2 must not be core or auth, which are for admins',
      expect.stringMatching(/^config\.yml:7: guest\.routes\.3 /),
      'config.yml:1: gest is not a known field',
      'config.yml:8: rutes is not a known field',
    ]);
  });

  it.each([
    ['a list', '- a\n', /^config\.yml:1:/],
    ['a tab for indentation', 'guest:\n\troutes: []\n', /at line 2/],
    ['the same key twice', 'guest: {}\nguest: {}\n', /unique at line 2/],
    ['two documents', 'guest: { routes: [] }\n---\nguest: { routes: [] }\n', /multiple documents/],
    ['an alias that names nothing', 'guest: *nobody\n', /nobody/],
    ['an unknown field in a part', 'guest: { routes: [], all: true }\n', /guest\.all is not a known field$/],
  ])('says what is wrong with %s', (_what, text, fault) => {
    expect(faults(text)).toEqual([expect.stringMatching(fault)]);
  });

  it('is not resolved where an alias grows beyond all bounds', () => {
    const layers = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`);
    expect(faults(`a0: &a0 x\n${layers.join('\n')}\n`)[0]).toMatch(/alias/i);
  });

  it('is a fault among those of the environment when it can not be read', () => {
    const asFolder = join(folder, 'folder.yml');
    mkdirSync(asFolder);
    const load = () => loadConfig({ DATA_DIR: folder, CONFIG_FILE: asFolder, PORT: 'x' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/PORT must be a whole number[^]*folder\.yml can't be read \(EISDIR\)/);
  });

  it('reaches the configuration by CONFIG_FILE', () => {
    writeFileSync(file, 'guest: { routes: [demo] }');
    expect(loadConfig({ DATA_DIR: folder, CONFIG_FILE: file }).settings.guestRoutes).toEqual(['demo']);
    expect(
      loadConfig({ DATA_DIR: folder, CONFIG_FILE: join(folder, 'none.yml') }).settings.guestRoutes,
    ).toEqual(['build']);
  });
});
