import { ALIASES, environmentSchema } from './environment.js';

/** The text of `.env.example`: every variable with what it is for and its default, made from the schema. */
export function environmentExample(): string {
  const lines = Object.entries(environmentSchema.shape).flatMap(([name, field]) => {
    const parsed = field.safeParse(undefined);
    const preset = parsed.success && parsed.data !== undefined ? presetText(parsed.data) : '';
    return ['', `# ${field.description ?? ''}`, `# ${name}=${preset}`];
  });
  const aliases = Object.entries(ALIASES).map(([alias, name]) => `# ${alias} is read as ${name}.`);
  return [
    '# Made from libs/config/src/environment.ts by `npm run env:example`.',
    ...aliases,
    ...lines,
    '',
  ].join('\n');
}

function presetText(preset: unknown): string {
  if (Array.isArray(preset)) return preset.join(',');
  if (typeof preset === 'object' && preset !== null && 'from' in preset && 'to' in preset) {
    return `${String(preset.from)}-${String(preset.to)}`;
  }
  return typeof preset === 'object' ? JSON.stringify(preset) : String(preset);
}
