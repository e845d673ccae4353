import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** How long a client may go on sending a body that nobody wants, once it has its answer, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * Lets the connection of a request, whose body has not arrived whole, end in stages: after the answer the sending
 * side is closed, what the client still sends is read and dropped for a while, then the socket is destroyed.
 *
 * Closed at once, the kernel answers the rest of the body by a reset, and that may delete the answer from the
 * client's receive buffer before it is read (RFC 9112 §9.6). Node has no such close: at the end of the last response
 * it calls `socket.destroySoon()`, so that method is replaced for this one socket.
 */
export function lingerAfterResponse(req: IncomingMessage): void {
  const { socket } = req;
  socket.destroySoon = () => {
    if (req.complete || socket.destroyed) Socket.prototype.destroySoon.call(socket);
    else closeInStages(req, socket);
  };
}

function closeInStages(req: IncomingMessage, socket: Socket): void {
  const destroy = (): void => void socket.destroy();
  const deadline = setTimeout(destroy, LINGER_MS);
  socket.once('close', () => clearTimeout(deadline));
  req.once('end', destroy).once('close', destroy).resume();
  socket.end();
}
