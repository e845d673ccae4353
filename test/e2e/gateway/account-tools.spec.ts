import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayProgram } from '../../support/gateway-program.js';

const PASSWORD = 'the password of an admin';

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tools-'));
  env = { PATH: process.env['PATH'], DATA_DIR: join(folder, 'data'), SLICE_POOL_SIZE: '0' };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a tool as npm does, on the installation in the folder. */
async function tool(name: string, args: string[], input = ''): Promise<Ran> {
  const program = fileURLToPath(new URL(`../../../tools/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env });
  child.stdin.end(input);
  const closed = once(child, 'close');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await closed) as [number | null];
  return { status, out, err };
}

async function signIn(gateway: GatewayProgram, email: string, password: string): Promise<unknown> {
  const response = await fetch(`${gateway.url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return { status: response.status, body: await response.json() };
}

const admin = (email: string) => ({ status: 200, body: { user: { email, role: 'admin' } } });

describe('npm run admin:create', () => {
  it('makes an admin before the first start, and beside a gateway that runs', async () => {
    expect(await tool('admin-create', ['Root@example.com'], `${PASSWORD}\n`)).toMatchObject({
      status: 0,
      err: '',
    });
    await using gateway = await GatewayProgram.start({ env });
    expect(await signIn(gateway, 'root@example.com', PASSWORD)).toMatchObject(admin('root@example.com'));

    const made = await tool('admin-create', ['second@example.com', '--generate']);
    expect(made).toMatchObject({ status: 0, err: '' });
    const password = /^password: (\S{24})$/m.exec(made.out)?.[1] ?? '';
    expect(await signIn(gateway, 'second@example.com', password)).toMatchObject(admin('second@example.com'));
  }, 60_000);

  it('makes an admin of an account only when it is told to, and signs it out', async () => {
    await using gateway = await GatewayProgram.start({ env });
    const browser = gateway.browser();
    await browser.register('ada@example.com', PASSWORD);
    const refused = await tool('admin-create', ['ada@example.com', '--generate']);
    expect(refused).toMatchObject({ status: 1, out: '', err: expect.stringContaining('--promote') });

    const unverified = await tool('admin-create', ['ada@example.com', '--promote']);
    expect(unverified).toMatchObject({ status: 1, out: '', err: expect.stringContaining('--unverified') });
    expect((await browser.get('/auth/me')).body.user.role).toBe('member');

    expect(await tool('admin-create', ['ada@example.com', '--promote', '--unverified'])).toMatchObject({
      status: 0,
      err: '',
    });
    expect((await browser.get('/auth/me')).status).toBe(401);
    expect(await signIn(gateway, 'ada@example.com', PASSWORD)).toMatchObject(admin('ada@example.com'));
  }, 60_000);

  it('says what is wrong in words, and with its exit status', async () => {
    expect(await tool('admin-create', [])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^usage: /),
    });
    const short = await tool('admin-create', ['a@example.com'], 'short');
    expect(short).toMatchObject({ status: 1, err: 'The password must be 8 characters at the least.\n' });
    env = { ...env, PORT: 'none' };
    expect((await tool('admin-create', ['a@example.com', '--generate'])).status).toBe(78);
  }, 60_000);
});

describe('npm run users:import', () => {
  it('imports nobody from a faulty file, and everybody from a good one, once', async () => {
    const file = join(folder, 'users.csv');
    await writeFile(file, 'email\na@example.com\nnobody\n');
    expect(await tool('users-import', [file])).toMatchObject({
      status: 1,
      out: '0 imported, 0 left as they are, 1 faults\n',
      err: expect.stringMatching(/^line 3: email must be an e-mail address\n/),
    });
    await writeFile(file, 'email\na@example.com\n');
    expect(await tool('users-import', [file])).toMatchObject({ status: 0, err: '' });
    const again = await tool('users-import', [file]);
    expect(again).toMatchObject({ status: 0, err: '' });
    expect(again.out).toBe(
      'line 2: a@example.com has an account; left as it is\n0 imported, 1 left as they are, 0 faults\n',
    );
    expect(await tool('users-import', [join(folder, 'none.csv')])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/none\.csv can't be read: no such file\n$/),
    });
  }, 60_000);
});
