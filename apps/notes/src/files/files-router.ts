import { Router } from 'express';
import { notFound } from '../http/http-error.ts';
import { parseFileName } from './file-name.ts';
import type { FileStore } from './file-store.ts';

/**
 * Whoever uploads a page must not have it run in this origin: it is saved, not shown, in no case with scripts, and its
 * type is not guessed at.
 */
const AS_A_DOWNLOAD = {
  'Content-Security-Policy': 'sandbox',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'private, no-cache',
};

/** Attachments of any size, streamed both ways. */
export function filesRouter(files: FileStore): Router {
  const router = Router();

  router.get('/', async (_request, response) => {
    response.json(await files.list());
  });

  router.get('/:name', async (request, response) => {
    const name = parseFileName(request.params.name);
    if (!(await files.find(name))) throw notFound('File');
    response.attachment(name).set(AS_A_DOWNLOAD);
    await new Promise<void>((resolve, reject) => {
      const options = { root: files.directory, cacheControl: false };
      response.sendFile(name, options, (error?: Error) => (error ? reject(error) : resolve()));
    });
  });

  router.put('/:name', async (request, response) => {
    const name = parseFileName(request.params.name);
    const existed = (await files.find(name)) !== undefined;
    // The request must outlive a write that failed, or its connection could not carry the answer.
    const stored = await files.write(name, request.iterator({ destroyOnReturn: false }));
    response.status(existed ? 200 : 201).json(stored);
  });

  router.delete('/:name', async (request, response) => {
    if (!(await files.remove(parseFileName(request.params.name)))) throw notFound('File');
    response.status(204).end();
  });

  return router;
}
