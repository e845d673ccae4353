import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, PROXY_CORE } from '../lib/cores.ts';
import { Database } from '../lib/database.ts';
import { freePort } from '../lib/free-port.ts';
import { gatewayCommand } from '../lib/gateway-command.ts';
import { nginxCommand } from '../lib/nginx.ts';
import { Pinned } from '../lib/pinned.ts';
import { requireProgram } from '../lib/programs.ts';
import { settings } from '../lib/settings.ts';
import { temporaryFolder } from '../lib/temporary.ts';
import { untilAnswers } from '../lib/until.ts';
import { PATH, smallJson } from '../lib/upstream.ts';
import type { Peer } from './peer.ts';

const MEMORY_PROBE = fileURLToPath(new URL('../lib/memory-probe.js', import.meta.url));
const PROFILES = fileURLToPath(new URL('../results/profiles', import.meta.url));
const SECRET = 'of the benchmark, and of nothing else';
const PASSWORD = 'correct horse battery staple';

/** What runs as the slice, given the port it has to listen on; nginx with a small JSON where nothing is said. */
export type SliceCommand = (port: number) => readonly string[];

/**
 * The whole gateway in production mode, on PostgreSQL, with a customer who signed up for a slice. The slice is what the
 * process runtime started, on the core of the upstreams.
 */
export class Sluice implements Peer {
  readonly name = 'Sluice';
  readonly cookies: readonly string[];
  readonly url: string;
  readonly userId: string;
  readonly adminKey = SECRET;
  readonly database: Database;
  /** Where the slice itself listens. */
  readonly sliceOrigin: string;
  readonly #gateway: Pinned;
  readonly #parts: AsyncDisposableStack;

  private constructor(running: Running, session: Session) {
    this.url = running.url + PATH;
    this.database = running.database;
    this.sliceOrigin = running.sliceOrigin;
    this.#gateway = running.gateway;
    this.#parts = running.parts;
    this.cookies = [session.cookie];
    this.userId = session.userId;
  }

  /** @param more of its environment */
  static async start(
    slice: SliceCommand = (port) => nginxCommand(smallJson(port)),
    more: NodeJS.ProcessEnv = {},
  ): Promise<Sluice> {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await Database.start());
    const [port, slicePort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${port}`;
    const place = { port, slicePort, databaseUrl: database.url, slice: slice(slicePort) };
    const env = { ...environment(place), ...more };
    const gateway = parts.use(new Pinned(gatewayCommand(flags()), { core: PROXY_CORE, env, ipc: true }));
    await gateway.whileAlive(untilAnswers(`${url}/health`));
    const session = await signUp(url);
    await gateway.whileAlive(untilAnswers(url + PATH, { cookie: session.cookie }));
    const sliceOrigin = `http://127.0.0.1:${slicePort}`;
    return new Sluice({ gateway, database, url, sliceOrigin, parts: parts.move() }, session);
  }

  cpuSeconds(): number {
    return this.#gateway.cpuSeconds();
  }

  residentBytes(): number {
    return this.#gateway.residentBytes();
  }

  /** Memory in use once all garbage is collected, in bytes. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    this.#gateway.child.send('memory');
    const [usage] = await once(this.#gateway.child, 'message');
    return usage;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }
}

interface Running {
  readonly gateway: Pinned;
  readonly database: Database;
  readonly url: string;
  readonly sliceOrigin: string;
  readonly parts: AsyncDisposableStack;
}

interface Session {
  readonly cookie: string;
  readonly userId: string;
}

/** What the benchmark looks through. */
function flags(): string[] {
  const probe = ['--expose-gc', '--import', MEMORY_PROBE];
  const profile = settings.profile ? ['--cpu-prof', '--cpu-prof-dir', PROFILES] : [];
  return [...probe, ...profile];
}

interface Place {
  readonly port: number;
  readonly slicePort: number;
  readonly databaseUrl: string;
  readonly slice: readonly string[];
}

function environment({ port, slicePort, databaseUrl, slice }: Place): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    PORT: String(port),
    APP_URL: `http://127.0.0.1:${port}`,
    DATA_DIR: temporaryFolder(),
    DATABASE_URL: databaseUrl,
    SECRET_KEY: SECRET,
    GATEWAY_JWT_SECRET: SECRET,
    ADMIN_KEY: SECRET,
    SIGNUPS_PER_HOUR: '0',
    ADMIN_EMAIL: 'admin@example.com',
    ADMIN_PASSWORD: SECRET,
    SLICE_RUNTIME: 'process',
    SLICE_POOL_SIZE: '0',
    SLICE_PORT_RANGE: `${slicePort}-${slicePort}`,
    SLICE_COMMAND: [requireProgram('taskset'), '-c', LOAD_CORE, ...slice].join(' '),
    SHUTDOWN_TIMEOUT_SECONDS: '1',
  };
}

async function signUp(url: string): Promise<Session> {
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: PASSWORD }),
  });
  const answer = await response.text();
  const [cookie = ''] = response.headers.getSetCookie()[0]?.split(';', 1) ?? [];
  if (response.status !== 201 || cookie === '') throw new Error(`sign-up: ${response.status} ${answer}`);
  return { cookie, userId: JSON.parse(answer).user.id };
}
