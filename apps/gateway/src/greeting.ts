import { join } from 'node:path';
import type { AppConfig } from '#config';

/**
 * What `npm start` says to a person: where it is, how to get in, and three lines to try. In production there is nobody
 * to read it, and a secret has no place in a log.
 */
export function greeting(config: AppConfig, url: string): string {
  if (config.mode === 'production') return '';
  const { key, password, email, generated } = config.admin;
  const kept = `in ${join(config.dataDir, 'secrets.json')}`;
  const shown = (secret: string, made: boolean, variable: string): string => {
    if (!made) return variable;
    return generated.now ? secret : kept;
  };
  return `
  Sluice runs at ${url}

    admin      ${email}
    password   ${shown(password, generated.password, 'ADMIN_PASSWORD')}
    admin key  ${shown(key, generated.key, 'ADMIN_KEY')}

  Try it: sign up, use your own slice, look at all slices.

    curl -c jar -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"correct horse"}' ${url}/auth/register
    curl -b jar -H 'content-type: application/json' -d '{"title":"hello"}' ${url}/api/notes
    curl -H "X-Admin-Key: ${generated.key && generated.now ? key : '$ADMIN_KEY'}" ${url}/orchestrator/status

`;
}
