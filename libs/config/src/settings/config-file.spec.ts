import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../config-error.js';
import { loadConfig } from '../load-config.js';

describe('config.yml at the start', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-config-file-'));
    file = join(folder, 'config.yml');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const load = (env: NodeJS.ProcessEnv = {}) => loadConfig({ DATA_DIR: folder, CONFIG_FILE: file, ...env });

  /** The faults of a start with a file of this text, the folder left out. */
  function faults(text: string, env: NodeJS.ProcessEnv = {}): readonly string[] {
    writeFileSync(file, text);
    try {
      load(env);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.faults.map((fault) => fault.replace(`${folder}/`, ''));
    }
  }

  it('need not exist', () => {
    const none = load({ CONFIG_FILE: join(folder, 'none.yml') });
    expect(none.settings).toMatchObject({ guestRoutes: ['build'], routes: [], defaultBackend: null });
    expect(none.settingsFile).toBe(join(folder, 'none.yml'));
  });

  it('reaches the configuration by CONFIG_FILE, and is frozen there', () => {
    writeFileSync(file, 'guest: { routes: [demo] }');
    const { settings } = load();
    expect(settings.guestRoutes).toEqual(['demo']);
    expect(() => Object.assign(settings.workers[0] ?? {}, { path: '/' })).toThrow(TypeError);
  });

  it('tells every fault at once, each with its line, and those of the environment with them', () => {
    expect(
      faults('gest: {}\nguest:\n  routes:\n    - ok\n    - "../etc"\n    - core\nrutes: []\n', { PORT: 'x' }),
    ).toEqual([
      'PORT must be a whole number',
      'config.yml:1: gest is not a known field',
      expect.stringMatching(/^config\.yml:5: guest\.routes\.1 must be a name/),
      'config.yml:6: guest.routes.2 must not be core or auth, which are for admins',
      'config.yml:7: rutes is not a known field',
    ]);
  });

  it('is a fault when it can not be read', () => {
    const asFolder = join(folder, 'folder.yml');
    mkdirSync(asFolder);
    expect(() => load({ CONFIG_FILE: asFolder, PORT: 'x' })).toThrow(
      /PORT must be a whole number[^]*folder\.yml can't be read \(EISDIR\)/,
    );
  });

  it('leads nowhere back, on the port that is set', () => {
    const text = 'defaultBackend: http://localhost:4000\n';
    expect(faults(text)).toEqual([]);
    expect(faults(text, { PORT: '4000' })).toEqual([
      'config.yml:1: defaultBackend leads back to Sluice itself',
    ]);
  });
});
