import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

type LogLine = Record<string, unknown> & { event: string };

interface Answer<Body> {
  status: number;
  headers: Headers;
  /** null where there is none. */
  body: Body;
}

/** The app as it is run for real: a process of its own, started by Node's type stripping. */
export interface TestApp {
  url: string;
  pid: number;
  dataDir: string;
  /** Everything logged so far. */
  lines: LogLine[];
  /** The first log line of that event, waiting for it if need be. */
  logged(event: string): Promise<LogLine>;
  /** Sends a request and reads the answer as JSON. */
  call<Body = unknown>(method: string, path: string, body?: unknown): Promise<Answer<Body>>;
  /** Ends the process and gives its exit code; the data directory stays. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends it and deletes what it stored. */
  remove(): Promise<void>;
}

/** Starts the app on a free port and waits until it listens, and, if `ready`, until its schema stands. */
export async function startApp(
  env: Record<string, string>,
  { ready = true, fileSizeLimit = '' } = {},
): Promise<TestApp> {
  const dataDir = env['DATA_DIR'] ?? (await mkdtemp(join(tmpdir(), 'notes-data-')));
  const child = launch({ ...env, DATA_DIR: dataDir, PORT: '0' }, fileSizeLimit);
  const log = readLog(child);
  const listening = await log.logged('listening');
  if (ready) await log.logged('database.ready');
  const url = `http://127.0.0.1:${String(listening['port'])}`;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  };
  return {
    ...log,
    url,
    pid: child.pid ?? 0,
    dataDir,
    call: async (method, path, body) => await call(method, url + path, body),
    stop,
    remove: async () => {
      await stop('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs the app until it ends by itself. */
export async function runApp(
  env: Record<string, string>,
): Promise<{ exitCode: number | null; lines: LogLine[] }> {
  const child = launch(env, '');
  const { lines } = readLog(child);
  await once(child, 'close');
  return { exitCode: child.exitCode, lines };
}

/** `fileSizeLimit` (in blocks of 512 bytes) makes the kernel refuse longer files, as a full disk would. */
function launch(env: Record<string, string>, fileSizeLimit: string): ChildProcess {
  const script = `${fileSizeLimit && `ulimit -f ${fileSizeLimit};`} exec "$0" "$1"`;
  return spawn('sh', ['-c', script, process.execPath, MAIN], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function readLog(child: ChildProcess): Pick<TestApp, 'lines' | 'logged'> {
  if (!child.stdout) throw new Error('stdout is not piped');
  const lines: LogLine[] = [];
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(JSON.parse(line)));
  const logged = async (event: string) => {
    for (;;) {
      const found = lines.find((line) => line.event === event);
      if (found) return found;
      const [next] = await Promise.race([once(reader, 'line'), once(reader, 'close')]);
      if (next === undefined) throw new Error(`ended without ${event}: ${JSON.stringify(lines)}`);
    }
  };
  return { lines, logged };
}

async function call<Body>(method: string, url: string, body?: unknown): Promise<Answer<Body>> {
  const json = { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const response = await fetch(url, { method, ...(body === undefined ? {} : json) });
  const answer: Body = JSON.parse((await response.text()) || 'null');
  return { status: response.status, headers: response.headers, body: answer };
}
