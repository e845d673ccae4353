import { describe, expect, it } from '@jest/globals';
import { readSettings, SettingsError } from '../src/settings.ts';

const DATABASE_URL = 'postgres://u:p@db:5433/app';

describe('settings', () => {
  it('needs nothing but a database', () => {
    expect(readSettings({ DATABASE_URL })).toMatchObject({
      title: 'Notes',
      host: '127.0.0.1',
      port: 3000,
      database: { connectionString: DATABASE_URL },
    });
  });

  it('takes the database in parts', () => {
    const env = { DB_HOST: 'db', DB_NAME: 'app', DB_USER: 'u', DB_PASSWORD: 'p@:/' };
    expect(readSettings(env).database).toEqual({
      host: 'db',
      port: 5432,
      database: 'app',
      user: 'u',
      password: 'p@:/',
    });
  });

  it('reports every fault at once', () => {
    const env = { PORT: '70000', DB_PORT: '-1', DB_HOST: 'db' };
    const read = () => readSettings(env);
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(
      /PORT is not a port: 70000; set DATABASE_URL, or DB_NAME, DB_USER; DB_PORT is not a port: -1/,
    );
  });

  it.each(['3e3', ' 80', '0x50', '1.5', 'http'])('refuses the port %p', (PORT) => {
    expect(() => readSettings({ DATABASE_URL, PORT })).toThrow(SettingsError);
  });
});
