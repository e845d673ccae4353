import { z } from 'zod';
import { settingsSchema } from './schema.js';

/** Editors understand the one, the OpenAPI document is written in the other. */
export type JsonSchemaTarget = 'draft-07' | 'openapi-3.0';

/** A variable may stand in any text, whatever that has to look like in the end. */
const VARIABLE = '\\$\\{';

/** What an editor can check by itself: of a text whose variables are not filled in yet, and of each part alone. */
export function settingsJsonSchema(target: JsonSchemaTarget): Record<string, unknown> {
  return z.toJSONSchema(settingsSchema, {
    target,
    io: 'input',
    override: ({ jsonSchema, path }) => {
      const { pattern } = jsonSchema;
      // It is called for what wraps a text as well.
      if (pattern === undefined || pattern.startsWith(VARIABLE) || path.includes('propertyNames')) return;
      jsonSchema.pattern = `${VARIABLE}|${pattern}`;
    },
  });
}

/** The text of `config.schema.json`, which is committed beside the example. */
export function configSchemaFile(): string {
  const { $schema, ...schema } = settingsJsonSchema('draft-07');
  const document = { $schema, title: 'config.yml of Sluice', ...schema };
  return `${JSON.stringify(document, null, 2)}\n`;
}
