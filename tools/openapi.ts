import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { openApiDocument } from '#auth';
import { loadConfig } from '#config';
import { GatewayModule } from '#gateway';
import { FORWARDED_ENDPOINTS } from '#proxy';
import manifest from '#package' with { type: 'json' };
import { keepUpToDate } from './generated-file.ts';

/*
 * Makes openapi.json, for clients and the console's types: `npm run openapi`, and `npm run openapi:check` in CI.
 * In Nest's preview mode no provider is made, so no database is needed. The configuration is that of production, where
 * nothing is generated and so nothing is written; its secrets open nothing.
 */
const unused = 'opens nothing: only the routes are read';
const config = loadConfig({
  NODE_ENV: 'production',
  APP_URL: 'http://localhost',
  SECRET_KEY: unused,
  GATEWAY_JWT_SECRET: unused,
  ADMIN_KEY: unused,
  ADMIN_EMAIL: 'admin@example.com',
  ADMIN_PASSWORD: unused,
  SLICE_IMAGE: 'example',
});
const app = await NestFactory.create(GatewayModule.forRoot(config), {
  preview: true,
  logger: ['error'],
  abortOnError: false,
});
const document = await openApiDocument(app, {
  version: manifest.version,
  cookieName: config.session.cookieName,
  forwarded: FORWARDED_ENDPOINTS,
});

keepUpToDate(
  new URL('../openapi.json', import.meta.url),
  `${JSON.stringify(document, null, 2)}\n`,
  'npm run openapi',
);
