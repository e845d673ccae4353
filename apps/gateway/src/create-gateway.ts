import type { ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { SystemClock } from '#common';
import type { AppConfig } from '#config';
import { Edge, EdgeAdapter } from '#proxy';
import { GatewayModule } from './gateway.module.js';
import { useHttpStack } from './http-stack.js';

/**
 * Builds the gateway, ready to listen. With it come the database (started where it is embedded) and its schema.
 * @throws what keeps it from starting; then nothing of it is left running
 */
export async function createGateway(
  config: AppConfig,
  root: ModuleMetadata | undefined = undefined,
): Promise<NestExpressApplication> {
  const adapter = new EdgeAdapter(new SystemClock(), config.http.shutdownTimeoutMs);
  const app = await NestFactory.create<NestExpressApplication>(
    root ?? GatewayModule.forRoot(config),
    adapter,
    {
      bufferLogs: true,
      bodyParser: false,
      abortOnError: false,
    },
  );
  app.useLogger(app.get(Logger));
  adapter.setEdge(app.get(Edge));
  useHttpStack(app);
  return app;
}
