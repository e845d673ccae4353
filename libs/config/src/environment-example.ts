import { z } from 'zod';
import { ALIASES, ENVIRONMENT_GROUPS } from './environment.js';

const INTRODUCTION = `# The configuration of Sluice. None of it is needed to try it out: \`npm start\` runs without a .env.
# Copy this file to .env and take the # away from what you set; the values shown are the defaults.
#
# Made from libs/config/src/environment.ts by \`npm run env:example\`; edit that file.`;

/** The text of `.env.example`: every variable with what it is for and its default, made from the schema. */
export function environmentExample(): string {
  const groups = ENVIRONMENT_GROUPS.map(({ title, variables }) =>
    [heading(title), ...Object.entries(variables).map(([name, field]) => entry(name, field))].join('\n\n'),
  );
  return `${[INTRODUCTION, ...groups, [heading('Other names'), aliases()].join('\n\n')].join('\n\n\n')}\n`;
}

function heading(title: string): string {
  return `# ${`── ${title} `.padEnd(76, '─')}`;
}

function entry(name: string, field: z.ZodType): string {
  const preset = field instanceof z.ZodPrefault ? String(field.def.defaultValue) : '';
  return `# ${field.description ?? ''}\n# ${name}=${preset}`;
}

function aliases(): string {
  return Object.entries(ALIASES)
    .map(([alias, name]) => `# ${alias} is read as ${name}, unless that is set.`)
    .join('\n');
}
