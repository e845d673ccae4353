import { fileURLToPath } from 'node:url';
import express, { type Express, type Handler, type Request } from 'express';
import type { Database } from './database.ts';
import type { FileStore } from './files/file-store.ts';
import { filesRouter } from './files/files-router.ts';
import { errorHandler } from './http/error-handler.ts';
import { notFound } from './http/http-error.ts';
import type { Live } from './live.ts';
import { NoteStore } from './notes/note-store.ts';
import { notesRouter } from './notes/notes-router.ts';

const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

export interface AppParts {
  title: string;
  database: Database;
  files: FileStore;
  live: Live;
}

/** Everything that is answered over HTTP, Socket.IO aside. */
export function createApp({ title, database, files, live }: AppParts): Express {
  const app = express().disable('x-powered-by');

  app.get('/health', async (_request, response) => {
    await database.query('select 1');
    response.json({ status: 'ok' });
  });
  app.get('/api/info', (_request, response) => response.json({ title }));
  app.get('/api/whoami', (request, response) => response.json(identityOf(request)));
  app.use('/api/notes', notesRouter(new NoteStore(database), live));
  app.use('/api/files', filesRouter(files));
  app.use('/app', page());
  app.get('/', (_request, response) => response.redirect('/app/'));
  app.use((request) => {
    throw notFound(request.path);
  });
  app.use(errorHandler);
  return app;
}

/** The page at /app; what it loads and calls is all of its own origin. */
function page(): Handler {
  const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  return express.static(PUBLIC, {
    setHeaders: (response) => response.setHeader('Content-Security-Policy', policy),
  });
}

/** Who is asking, as the identity-aware proxy in front of the app says; as it came, and null where it said nothing. */
function identityOf(request: Request): Record<'email' | 'sub' | 'name', string | null> {
  return {
    email: request.get('x-user-email') ?? null,
    sub: request.get('x-user-sub') ?? null,
    name: request.get('x-user-name') ?? null,
  };
}
