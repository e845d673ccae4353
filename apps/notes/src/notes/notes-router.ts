import { json, Router } from 'express';
import { notFound } from '../http/http-error.ts';
import type { Live } from '../live.ts';
import type { Note } from './note.ts';
import { parseNewNote, parseNoteChange, parseNoteId, parsePage } from './note-input.ts';
import type { NoteStore } from './note-store.ts';

/** REST on notes; every change is told to the connected clients before its caller has the answer. */
export function notesRouter(notes: NoteStore, live: Live): Router {
  const router = Router();
  const body = json({ limit: '1mb' });

  router.get('/', async (request, response) => {
    response.json(await notes.list(parsePage(request.query)));
  });

  router.post('/', body, async (request, response) => {
    const note = await notes.create(parseNewNote(request.body));
    live.emit('note:created', note);
    response.status(201).location(`${request.baseUrl}/${note.id}`).json(note);
  });

  router.get('/:id', async (request, response) => {
    response.json(present(await notes.find(parseNoteId(request.params.id))));
  });

  router.patch('/:id', body, async (request, response) => {
    const id = parseNoteId(request.params.id);
    const note = present(await notes.update(id, parseNoteChange(request.body)));
    live.emit('note:updated', note);
    response.json(note);
  });

  router.delete('/:id', async (request, response) => {
    const id = parseNoteId(request.params.id);
    if (!(await notes.remove(id))) throw notFound('Note');
    live.emit('note:deleted', { id });
    response.status(204).end();
  });

  return router;
}

function present(note: Note | undefined): Note {
  if (!note) throw notFound('Note');
  return note;
}
