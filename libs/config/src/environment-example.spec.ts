import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { ALIASES, environmentSchema } from './environment.js';
import { environmentExample } from './environment-example.js';
import { loadConfig } from './load-config.js';

describe('the example of an environment', () => {
  const text = environmentExample();
  const variables = [...text.matchAll(/^# ([A-Z_]+)=/gm)].map(([, name = '']) => name);

  it('has every variable once, and what each is for', () => {
    expect(variables.toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted());
    for (const name of variables) expect(text).toMatch(new RegExp(`^# \\S.{5,}\n# ${name}=`, 'm'));
    for (const alias of Object.keys(ALIASES)) expect(text).toContain(alias);
  });

  it('sets nothing as it stands', () => {
    expect(parseEnv(text)).toEqual({});
  });

  it('means the same as nothing, when every line is taken in', () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-example-'));
    try {
      const { admin, ...config } = loadConfig({ DATA_DIR });
      expect(loadConfig({ ...parseEnv(text.replaceAll(/^# (?=[A-Z_]+=)/gm, '')), DATA_DIR })).toEqual({
        ...config,
        admin: { ...admin, generated: { ...admin.generated, now: false } },
      });
    } finally {
      rmSync(DATA_DIR, { recursive: true });
    }
  });
});

describe('docker-compose.yml', () => {
  /** Settled by the image, or by what the file says of networks, volumes and PostgreSQL. */
  const SETTLED: ReadonlySet<string> = new Set([
    'NODE_ENV',
    'DATA_DIR',
    'CONFIG_FILE',
    'HOST',
    'PORT',
    'DATABASE_URL',
    'DB_PORT',
    'SLICE_COMMAND',
    'SLICE_PORT_RANGE',
    'DOCKER_HOST',
  ]);
  const file = z.object({
    services: z.object({ gateway: z.object({ environment: z.record(z.string(), z.unknown()) }) }),
  });

  it('passes on every variable that is left to the operator, and nothing else', () => {
    const text = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
    const { environment } = file.parse(parse(text)).services.gateway;
    const left = Object.keys(environmentSchema.shape).filter((name) => !SETTLED.has(name));
    expect(Object.keys(environment).toSorted()).toEqual(left.toSorted());
  });
});
