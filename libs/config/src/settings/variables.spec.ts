import { describe, expect, it } from '@jest/globals';
import { ALIASES, environmentSchema } from '../environment.js';
import { Variables } from './variables.js';

/** What the schema itself says of a secret: how to make one, or that the value carries a password. */
const TELLS_OF_A_SECRET = /openssl rand|user:password@/;
const NAMED_AS_ONE = /SECRET|PASSWORD|KEY/;

const shape: Readonly<
  Record<string, { safeParse(value: unknown): { error?: { message: string } | undefined } }>
> = environmentSchema.shape;

/** Those that the schema calls a secret, by their kind or by their name, and their other names. */
function secretsOfTheSchema(): string[] {
  const names = Object.keys(shape).filter(
    (name) =>
      NAMED_AS_ONE.test(name) || TELLS_OF_A_SECRET.test(shape[name]?.safeParse('x').error?.message ?? ''),
  );
  const aliases = Object.keys(ALIASES).filter((alias) => names.includes(String(ALIASES[alias])));
  return [...names, ...aliases];
}

describe('the secrets of the environment', () => {
  it('are found in the schema', () => {
    expect(secretsOfTheSchema()).toEqual(
      expect.arrayContaining([
        'DATABASE_URL',
        'SECRET_KEY',
        'ADMIN_PASSWORD',
        'REDIS_URL',
        'OIDC_CLIENT_SECRET',
        'SMTP_URL',
        'NOTIFY_WEBHOOK_SECRET',
        'SLICE_DB_PASSWORD',
        'STRIPE_SECRET_KEY',
        'STRIPE_WEBHOOK_SECRET',
      ]),
    );
  });

  it.each(secretsOfTheSchema())('include %s, which config.yml may not have', (name) => {
    expect(new Variables({}).isSecret(name)).toBe(true);
  });

  // A notice's address is a password too: whoever knows it can send notices.
  it.each(['APPRISE_URL', 'NOTIFY_WEBHOOK_URL', 'SLICE_ENV', 'PGPASSWORD'])(
    'include %s, though nothing in the schema tells',
    (name) => {
      expect(new Variables({}).isSecret(name)).toBe(true);
    },
  );

  it.each(['APP_URL', 'DB_HOST', 'SEARCH_API_KEY', 'SECRETS_URL'])('do not include %s', (name) => {
    expect(new Variables({}).isSecret(name)).toBe(false);
  });
});
