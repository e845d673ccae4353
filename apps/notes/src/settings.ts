import { resolve } from 'node:path';
import type { ClientConfig } from 'pg';

/** What the app takes from its environment. */
export interface Settings {
  /** Shown as the heading of the page. */
  title: string;
  host: string;
  /** 0 lets the system choose; the port taken is logged. */
  port: number;
  /** Holds the attachments; the only directory that is written to. */
  dataDir: string;
  database: Pick<ClientConfig, 'connectionString' | 'host' | 'port' | 'database' | 'user' | 'password'>;
}

/** The environment cannot be used; `faults` has one line for each thing that is wrong with it. */
export class SettingsError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`Unusable environment: ${faults.join('; ')}`);
    this.name = 'SettingsError';
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings and reports every fault at once.
 *
 * @throws SettingsError
 */
export function readSettings(env: Environment): Settings {
  const faults: string[] = [];
  const port = readPort(env, 'PORT', 3000, faults);
  const database = readDatabase(env, faults);
  if (faults.length > 0) throw new SettingsError(faults);
  return {
    title: env['APP_NAME'] || env['SLICE_NAME'] || 'Notes',
    host: env['HOST'] || '127.0.0.1',
    port,
    dataDir: resolve(env['DATA_DIR'] || '.data'),
    database,
  };
}

function readDatabase(env: Environment, faults: string[]): Settings['database'] {
  if (env['DATABASE_URL']) {
    if (!URL.canParse(env['DATABASE_URL'])) faults.push('DATABASE_URL is not a URL');
    return { connectionString: env['DATABASE_URL'] };
  }
  const missing = ['DB_HOST', 'DB_NAME', 'DB_USER'].filter((name) => !env[name]);
  if (missing.length > 0) faults.push(`set DATABASE_URL, or ${missing.join(', ')}`);
  return {
    host: env['DB_HOST'],
    port: readPort(env, 'DB_PORT', 5432, faults),
    database: env['DB_NAME'],
    user: env['DB_USER'],
    password: env['DB_PASSWORD'],
  };
}

function readPort(env: Environment, name: string, fallback: number, faults: string[]): number {
  const text = env[name];
  if (!text) return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) faults.push(`${name} is not a port: ${text}`);
  return port;
}
