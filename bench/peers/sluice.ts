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

export interface SluiceOptions {
  /** What runs as a slice, given the port that the first one has to listen on; nginx with a small JSON otherwise. */
  readonly slice?: (port: number) => readonly string[];
  /** More of its environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** How many have signed up. Where it is not one, a slice has to take its port from its environment. */
  readonly customers?: number;
}

/** A port of the range may be somebody else's by the time it is needed. */
const PORTS_PER_CUSTOMER = 3;

/**
 * The whole gateway in production mode, on PostgreSQL, with customers who signed up for a slice each. The slices are
 * what the process runtime started, on the core of the upstreams.
 */
export class Sluice implements Peer {
  readonly name = 'Sluice';
  readonly cookies: readonly string[];
  readonly url: string;
  readonly userId: string;
  readonly adminKey = SECRET;
  readonly database: Database;
  /** Where the slice of the first customer listens, as long as nobody else took the port. */
  readonly sliceOrigin: string;
  readonly #gateway: Pinned;
  readonly #parts: AsyncDisposableStack;

  private constructor(running: Running, sessions: readonly [Session, ...Session[]]) {
    this.url = running.url + PATH;
    this.database = running.database;
    this.sliceOrigin = running.sliceOrigin;
    this.#gateway = running.gateway;
    this.#parts = running.parts;
    this.cookies = sessions.map(({ cookie }) => cookie);
    this.userId = sessions[0].userId;
  }

  static async start({ slice = smallSlice, env = {}, customers = 1 }: SluiceOptions = {}): Promise<Sluice> {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await Database.start());
    const [port, slicePort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${port}`;
    const ports = `${slicePort}-${slicePort + (customers - 1) * PORTS_PER_CUSTOMER}`;
    const place = { port, ports, databaseUrl: database.url, slice: slice(slicePort) };
    const command = gatewayCommand(flags());
    const options = { core: PROXY_CORE, env: { ...environment(place), ...env }, ipc: true };
    const gateway = parts.use(new Pinned(command, options));
    await gateway.whileAlive(untilAnswers(`${url}/health`));
    const sessions: [Session, ...Session[]] = [await signUp(url, 1)];
    while (sessions.length < customers) sessions.push(await signUp(url, sessions.length + 1));
    for (const { cookie } of sessions) await gateway.whileAlive(untilAnswers(url + PATH, { cookie }));
    const sliceOrigin = `http://127.0.0.1:${slicePort}`;
    return new Sluice({ gateway, database, url, sliceOrigin, parts: parts.move() }, sessions);
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

function smallSlice(port: number): string[] {
  return nginxCommand(smallJson(port));
}

interface Place {
  readonly port: number;
  /** `first-last` */
  readonly ports: string;
  readonly databaseUrl: string;
  readonly slice: readonly string[];
}

function environment({ port, ports, databaseUrl, slice }: Place): NodeJS.ProcessEnv {
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
    SLICE_PORT_RANGE: ports,
    SLICE_COMMAND: [requireProgram('taskset'), '-c', LOAD_CORE, ...slice].join(' '),
    SHUTDOWN_TIMEOUT_SECONDS: '1',
  };
}

async function signUp(url: string, number: number): Promise<Session> {
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `customer${number}@example.com`, password: PASSWORD }),
  });
  const answer = await response.text();
  const [cookie = ''] = response.headers.getSetCookie()[0]?.split(';', 1) ?? [];
  if (response.status !== 201 || cookie === '') throw new Error(`sign-up: ${response.status} ${answer}`);
  return { cookie, userId: JSON.parse(answer).user.id };
}
