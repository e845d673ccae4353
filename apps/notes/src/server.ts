import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createApp } from './app.ts';
import { Database } from './database.ts';
import { FileStore } from './files/file-store.ts';
import { createLive, type Live } from './live.ts';
import type { Settings } from './settings.ts';

/** Longer than the proxy in front keeps its connections, so that it is never us who close one it is about to use. */
const KEEP_ALIVE_MS = 75_000;
/** A connection on which nothing moves in either direction, a stalled upload for one. */
const IDLE_MS = 120_000;
/** What requests in flight get at the end; below the ten seconds `docker stop` waits. */
const DRAIN_MS = 5_000;
const SWEEP_MS = 50;

/** The running app. */
export interface NotesServer {
  host: string;
  /** The one listened on, also where the settings said 0. */
  port: number;
  /** Resolves when the schema is up to date; rejects when PostgreSQL refused a migration. */
  ready: Promise<void>;
  /** Takes no more requests, finishes those in flight, closes sockets and database. */
  stop(): Promise<void>;
}

/** Listens at once; until the database is there, `/health` and all that needs it answer 503. */
export async function startServer(settings: Settings): Promise<NotesServer> {
  const files = await FileStore.open(settings.dataDir);
  const database = new Database(settings.database);
  const live = createLive();
  const app = createApp({ title: settings.title, database, files, live });
  // The default of five minutes for a whole request would bound the size of an upload.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, app);
  server.setTimeout(IDLE_MS);
  live.attach(server);
  const port = await listen(server, settings);
  return {
    host: settings.host,
    port,
    ready: database.open(),
    stop: async () => {
      await drain(server, live);
      await database.close();
    },
  };
}

async function listen(server: Server, { port, host }: Settings): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

async function drain(server: Server, live: Live): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection whose last answer is out would be waited for until its keep-alive ends.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await live.close();
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
