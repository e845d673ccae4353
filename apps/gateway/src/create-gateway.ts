import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { ApiDocument } from '#admin';
import { startLogger, SystemClock } from '#common';
import type { AppConfig } from '#config';
import { DatabaseResources } from '#database';
import { ConnectionLimits, Edge, EdgeAdapter } from '#proxy';
import { GatewayModule, loggingOptions } from './gateway.module.js';
import { useHttpStack } from './http-stack.js';

/**
 * Builds the gateway, ready to listen. With it come the database (started where it is embedded) and its schema.
 * @param stop ends the waiting for a database that does not answer
 * @throws what keeps it from starting, or the reason of `stop`; then nothing of it is left running
 */
export async function createGateway(config: AppConfig, stop: AbortSignal): Promise<NestExpressApplication> {
  const adapter = edgeAdapter(config);
  const resources = new DatabaseResources(stop);
  const gateway = GatewayModule.forRoot(config, resources);
  try {
    const app = await NestFactory.create<NestExpressApplication>(gateway, adapter, {
      ...NEST_OPTIONS,
      abortOnError: false,
      logger: startLogger(loggingOptions(config)),
    });
    app.useLogger(app.get(Logger));
    return equip(app, adapter);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

/**
 * Express reads no body by itself: the HTTP stack decides which ones, and how large. What was sent is kept beside what
 * was read of it: faults of a configuration are told by their lines.
 */
export const NEST_OPTIONS = { bodyParser: false, rawBody: true } as const;

export function edgeAdapter(config: AppConfig, limits = new ConnectionLimits()): EdgeAdapter {
  return new EdgeAdapter(new SystemClock(), config.http.shutdownTimeoutMs, limits);
}

/** Puts the edge in front of an application and the HTTP stack into it. */
export function equip(app: NestExpressApplication, adapter: EdgeAdapter): NestExpressApplication {
  adapter.setEdge(app.get(Edge));
  app.get(ApiDocument).describes(app);
  useHttpStack(app);
  return app;
}
