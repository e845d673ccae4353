import { join } from 'node:path';
import type { AppConfig } from '#config';

/**
 * What `npm start` says to a person: where it is, how to get in, and three lines to try. On a later start the first of
 * them signs in whom it signed up on the first. In production there is nobody to read it, and a secret has no place in
 * a log.
 */
export function greeting(config: AppConfig, url: string): string {
  if (config.mode === 'production') return '';
  const { key, password, email, generated } = config.admin;
  const kept = `in ${join(config.dataDir, 'secrets.json')}`;
  const shown = (secret: string, made: boolean, variable: string): string => {
    if (!made) return variable;
    return generated.now ? secret : kept;
  };
  const fresh = generated.now;
  return `
  Sluice runs at ${url}

    admin      ${email}
    password   ${shown(password, generated.password, 'ADMIN_PASSWORD')}
    admin key  ${shown(key, generated.key, 'ADMIN_KEY')}

  Try it: sign ${fresh ? 'up' : 'in'}, use your own slice, look at all slices.

    curl -c jar -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"correct horse"}' ${url}/auth/${fresh ? 'register' : 'login'}
    curl -b jar -H 'content-type: application/json' -d '{"title":"hello"}' ${url}/api/notes
    curl -H "X-Admin-Key: ${keyInShell(config)}" ${url}/orchestrator/status

`;
}

/** The admin key, as a shell finds it; it is in the open the first time only. */
function keyInShell({ admin: { key, generated }, dataDir }: AppConfig): string {
  if (!generated.key) return '$ADMIN_KEY';
  return generated.now ? key : `$(node -p "require('${join(dataDir, 'secrets.json')}').adminKey")`;
}
