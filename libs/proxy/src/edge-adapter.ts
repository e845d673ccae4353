import { Logger } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { RequestListener } from 'node:http';
import type { Clock } from '#common';
import { ConnectionLimits } from './http/connection-limits.js';
import { EdgeServer, type EdgeHandler } from './http/edge-server.js';

/**
 * Nest's Express adapter with the edge in front: proxied traffic never enters Express, and upgrades, which Express
 * and Nest's guards never see, meet the same decision as everything else.
 */
export class EdgeAdapter extends ExpressAdapter {
  readonly #logger = new Logger(EdgeAdapter.name);
  #edge: EdgeHandler | null = null;
  #edgeServer: EdgeServer | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly shutdownTimeoutMs: number,
    private readonly limits: ConnectionLimits = new ConnectionLimits(),
  ) {
    super();
  }

  /** Must be called before `listen()`; the edge is a provider, so it exists only after the adapter. */
  setEdge(edge: EdgeHandler): void {
    this.#edge = edge;
  }

  override initHttpServer(): void {
    const app = this.getInstance<RequestListener>();
    this.#edgeServer = new EdgeServer(() => this.#requireEdge(), app, {
      clock: this.clock,
      limits: this.limits,
      onError: (err, reqId) => this.#logger.error({ err, reqId }, 'the edge failed'),
    });
    this.httpServer = this.#edgeServer.server;
  }

  /** Awaited by Nest before any `onModuleDestroy`, so requests in flight still find everything they need. */
  // oxlint-disable-next-line typescript/no-misused-promises -- typed void by Nest, and awaited by it all the same
  override async beforeClose(): Promise<void> {
    super.beforeClose();
    await this.#edgeServer?.close(this.shutdownTimeoutMs);
  }

  /** The server is closed by then; closing it again would be an error. */
  override async close(): Promise<void> {}

  #requireEdge(): EdgeHandler {
    if (this.#edge === null) throw new Error('EdgeAdapter.setEdge() was not called');
    return this.#edge;
  }
}
