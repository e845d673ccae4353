import { Server, type DefaultEventsMap } from 'socket.io';
import type { Note } from './notes/note.ts';

/** What a connected client hears. A client says nothing: it changes notes by REST. */
export interface LiveEvents {
  'note:created': (note: Note) => void;
  'note:updated': (note: Note) => void;
  'note:deleted': (note: { id: number }) => void;
}

export type Live = Server<DefaultEventsMap, LiveEvents>;

/** Socket.IO at `/socket.io`, client script included, once it is attached to an HTTP server. */
export function createLive(): Live {
  // Clients send nothing but pings, so a few KB are plenty.
  return new Server({ path: '/socket.io', maxHttpBufferSize: 16_384 });
}
