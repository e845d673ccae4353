import childProcess, { type ChildProcess } from 'node:child_process';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Writable } from 'node:stream';
import Docker from 'dockerode';
import type { DataSource, QueryRunner } from 'typeorm';

/** Told of every effect just before it happens, by name; what it gives back is called just after. */
export type Watcher = (name: string) => () => void;

/** A function of some module, of which nothing is known but that it is one. */
type Callable = (this: unknown, ...args: unknown[]) => unknown;

const WRITE = /^\s*(COMMIT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|REASSIGN)\b/i;

/** What only looks. All the rest of the module changes something: what is used tomorrow is met as well. */
const LOOKS = new Set(
  'access glob lstat opendir readFile readdir readlink realpath stat statfs watch'.split(' '),
);

/** Everything this process changes on the host: files, processes, the Docker Engine. Once, and for good. */
export function watchHost(watch: Watcher): void {
  watchFiles(watch);
  watchProcesses(watch);
  watchEngine(watch);
  // What was imported by name is another binding; it follows.
  syncBuiltinESMExports();
}

/** Every statement that writes to PostgreSQL. */
export function watchDatabase(dataSource: DataSource, watch: Watcher): void {
  const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode);
    const query: QueryRunner['query'] = runner.query.bind(runner);
    const watched = async (...args: Parameters<typeof query>): Promise<unknown> => {
      const verb = WRITE.exec(args[0])?.[1];
      return verb === undefined ? query(...args) : during(watch(verb), query(...args));
    };
    return Object.assign(runner, { query: watched });
  };
}

function watchFiles(watch: Watcher): void {
  const module: Record<string, unknown> = Object(files);
  for (const [name, original] of Object.entries(module)) {
    if (typeof original !== 'function' || LOOKS.has(name)) continue;
    const call = original as Callable;
    module[name] = function (this: unknown, ...args: unknown[]): unknown {
      if (name === 'open' && (args[1] ?? 'r') === 'r') return call.apply(this, args);
      const done = watch(name);
      return during(done, Promise.resolve(call.apply(this, args)));
    };
  }
}

function watchProcesses(watch: Watcher): void {
  const spawn: Callable = childProcess.spawn as never;
  const watchedSpawn = (...args: unknown[]): unknown => {
    const done = watch('spawn');
    const child = spawn(...args) as ChildProcess;
    done();
    for (const pipe of child.stdio) if (pipe instanceof Writable) watchPipe(pipe, watch);
    return child;
  };
  Object.assign(childProcess, { spawn: watchedSpawn });
  const kill = process.kill.bind(process);
  process.kill = (pid, signal) => {
    if (signal === 0) return kill(pid, signal);
    const done = watch(`kill ${signal ?? 'SIGTERM'}`);
    const result = kill(pid, signal);
    done();
    return result;
  };
}

/** What a child is told by a pipe is told by the last chunk. */
function watchPipe(pipe: Writable, watch: Watcher): void {
  const end: Callable = pipe.end.bind(pipe) as never;
  Object.assign(pipe, {
    end: (...args: unknown[]): unknown => {
      pipe.once('finish', watch('tell the child'));
      return end(...args);
    },
  });
}

/** Every request to the Docker Engine but those that ask, before it is sent and after it was answered. */
function watchEngine(watch: Watcher): void {
  const modem: { dial: Callable } = Object.getPrototypeOf(new Docker().modem);
  const { dial } = modem;
  modem.dial = function (this: unknown, options: unknown, callback: unknown): unknown {
    const { method, path } = options as { method: string; path: string };
    if (method === 'GET' || method === 'HEAD') return dial.call(this, options, callback);
    const done = watch(`${method} ${withoutIds(path)}`);
    return dial.call(this, options, (...answer: unknown[]) => {
      done();
      (callback as Callable)(...answer);
    });
  };
}

function withoutIds(path: string): string {
  return path.replace(/\?.*$/s, '').replace(/^(\/\w+\/)(?!create$)[^/]+/, '$1*');
}

async function during<T>(done: () => void, effect: Promise<T>): Promise<T> {
  const result = await effect;
  done();
  return result;
}
