/** How long a client may keep a connection without making progress, in milliseconds. Tests set their own. */
export class ConnectionLimits {
  /** From the first byte of a request, or the beginning of the connection, to the end of the header block. */
  readonly headersMs: number = 30_000;
  /** How often it is looked for header blocks that are late. */
  readonly headersCheckMs: number = 5_000;
  /** The whole body of a request to our own endpoints, which take 100 KB at most. */
  readonly ownBodyMs: number = 30_000;
  /**
   * Between two requests. Longer than the minute for which common load balancers keep a connection, so that they close it
   * and not we.
   */
  readonly keepAliveMs: number = 65_000;
  /** How long an upload to an upstream may stand still. */
  readonly uploadIdleMs: number = 60_000;
  /**
   * How long the client may take nothing of an answer, or of a WebSocket, that waits for it; up to twice as long, since Node
   * looks at half-written data a second time before it calls a socket idle.
   */
  readonly downloadIdleMs: number = 60_000;
}
