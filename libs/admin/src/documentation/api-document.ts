import { createRequire } from 'node:module';
import { type INestApplication, Injectable } from '@nestjs/common';
import { openApiDocument } from '#auth';
import { AppConfig } from '#config';
import { FORWARDED_ENDPOINTS } from '#proxy';

const manifest: { version: string } = createRequire(import.meta.url)('#package');

/**
 * The OpenAPI document of the gateway that runs. It is made when somebody first asks, and is the same ever after; where
 * that fails, it is made anew for whoever asks next.
 */
@Injectable()
export class ApiDocument {
  private app: INestApplication | null = null;
  private document: Promise<object> | null = null;

  constructor(private readonly config: AppConfig) {}

  /** Whoever puts the application together says so: a part of it does not know the whole. */
  describes(app: INestApplication): void {
    this.app = app;
  }

  get(): Promise<object> {
    this.document ??= this.make().catch((error: unknown) => {
      this.document = null;
      throw error;
    });
    return this.document;
  }

  private async make(): Promise<object> {
    if (this.app === null) throw new Error('ApiDocument.describes() was not called');
    return openApiDocument(this.app, {
      version: manifest.version,
      cookieName: this.config.session.cookieName,
      forwarded: FORWARDED_ENDPOINTS,
    });
  }
}
