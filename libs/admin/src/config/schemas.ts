import { z } from 'zod';

/** RFC 9512, and what it was called before. */
export const YAML_TYPES = ['application/yaml', 'text/yaml', 'application/x-yaml'] as const;

export type ConfigurationFormat = 'json' | 'yaml';

/** A body as it was sent: JSON is read as YAML too, for the sake of the lines. */
export interface SubmittedConfiguration {
  readonly format: ConfigurationFormat;
  readonly text: string;
}

/** Variables stand in it by their names. */
export const configurationResponse = z
  .record(z.string(), z.unknown())
  .describe('What config.yml says, as it stands there.');

export const changedConfigurationResponse = z.object({ ok: z.literal(true), config: configurationResponse });
export type ChangedConfiguration = z.infer<typeof changedConfigurationResponse>;
