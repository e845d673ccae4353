import type { Socket } from 'node:net';

/**
 * Whether there is something that the other end does not take. Asked when a connection has been idle: one without news,
 * such as a quiet event stream, has nothing to take.
 */
export function isStalled(socket: Socket): boolean {
  return socket.writableLength > 0;
}

/** Cuts the connection once its other end has taken nothing for so long, though there is something. */
export function cutWhenStalled(socket: Socket, idleMs: number): void {
  socket.setTimeout(idleMs);
  socket.on('timeout', () => {
    if (isStalled(socket)) socket.destroy();
  });
}
