import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { startLogger, SystemClock } from '#common';
import type { AppConfig } from '#config';
import { Edge, EdgeAdapter } from '#proxy';
import { GatewayModule, loggingOptions } from './gateway.module.js';
import { useHttpStack } from './http-stack.js';

/**
 * Builds the gateway, ready to listen. With it come the database (started where it is embedded) and its schema.
 * @throws what keeps it from starting; then nothing of it is left running
 */
export async function createGateway(config: AppConfig): Promise<NestExpressApplication> {
  const adapter = edgeAdapter(config);
  const app = await NestFactory.create<NestExpressApplication>(GatewayModule.forRoot(config), adapter, {
    ...NEST_OPTIONS,
    abortOnError: false,
    logger: startLogger(loggingOptions(config)),
  });
  app.useLogger(app.get(Logger));
  return equip(app, adapter);
}

/** Express reads no body by itself: the HTTP stack decides which ones, and how large. */
export const NEST_OPTIONS = { bodyParser: false } as const;

export function edgeAdapter(config: AppConfig): EdgeAdapter {
  return new EdgeAdapter(new SystemClock(), config.http.shutdownTimeoutMs);
}

/** Puts the edge in front of an application and the HTTP stack into it. */
export function equip(app: NestExpressApplication, adapter: EdgeAdapter): NestExpressApplication {
  adapter.setEdge(app.get(Edge));
  useHttpStack(app);
  return app;
}
