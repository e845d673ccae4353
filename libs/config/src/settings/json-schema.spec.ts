import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { configSchemaFile, settingsJsonSchema } from './json-schema.js';
import { SettingsReader } from './settings-reader.js';

type Node = Record<string, unknown>;

/** Every object of the schema that has properties. */
function objects(node: unknown): Node[] {
  if (typeof node !== 'object' || node === null) return [];
  const inner = Object.values(node).flatMap(objects);
  return 'properties' in node ? [node, ...inner] : inner;
}

const example = readFileSync(new URL('../../../../config.example.yml', import.meta.url), 'utf8');
const reader = new SettingsReader({}, null);

describe('the JSON schema of config.yml', () => {
  const schema = settingsJsonSchema('draft-07');

  it('describes every key, and allows no other', () => {
    for (const { properties, additionalProperties } of objects(schema)) {
      expect(additionalProperties).toBe(false);
      for (const [key, property] of Object.entries(properties as Node)) {
        expect({ key, ...(property as Node) }).toMatchObject({ key, description: expect.any(String) });
      }
    }
  });

  it('takes the example, and variables where texts are wanted', () => {
    const check = z.fromJSONSchema(schema);
    const { said } = reader.read(example);
    expect(check.safeParse(said).error).toBeUndefined();
    const route = {
      id: 'a',
      path: '${P}',
      target: '${T}',
      auth: ['none'],
      timeoutSeconds: '${S}',
      compress: '${C}',
    };
    expect(check.safeParse({ routes: [route] }).success).toBe(true);
    expect(check.safeParse({ routes: [{ ...route, path: 'app' }] }).success).toBe(false);
    expect(check.safeParse({ routes: [{ ...route, unknown: 1 }] }).success).toBe(false);
    expect(check.safeParse({ pools: { '${P}': {} } }).success).toBe(false);
  });

  it('is a file that editors find', () => {
    expect(JSON.parse(configSchemaFile())).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
    });
    expect(example).toMatch(/^# yaml-language-server: \$schema=\.\/config\.schema\.json\n/);
  });
});

describe('the example of config.yml', () => {
  it('is right, and shows every part there is', () => {
    const { said, faults } = reader.read(example);
    expect(faults).toEqual([]);
    const { properties } = settingsJsonSchema('draft-07');
    expect(Object.keys(said ?? {}).toSorted()).toEqual(Object.keys(properties as Node).toSorted());
  });
});

describe('the examples of config.yml in the documentation', () => {
  const blocks = ['README.md', 'docs/routing.md', 'docs/workers.md'].flatMap((page) => {
    const text = readFileSync(new URL(`../../../../${page}`, import.meta.url), 'utf8');
    return [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, yaml = ''], i) => ({ page, i, yaml }));
  });

  it.each(blocks)('are right: $page, $i', ({ yaml }) => {
    expect(reader.read(yaml).faults).toEqual([]);
  });

  it('show every part that has to do with routing', () => {
    const shown = blocks.flatMap(({ yaml }) => Object.keys(reader.read(yaml).said ?? {}));
    const { properties } = settingsJsonSchema('draft-07');
    const parts = Object.keys(properties as Node).filter((part) => part !== 'appMetrics');
    expect([...new Set(shown)].toSorted()).toEqual(parts.toSorted());
  });
});
