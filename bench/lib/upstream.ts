import { LOAD_CORE } from './cores.ts';
import { freePort } from './free-port.ts';
import { nginxCommand } from './nginx.ts';
import { Pinned } from './pinned.ts';
import { untilAnswers } from './until.ts';

/** What is asked for: a slice's path, so that the same request goes to every peer. */
export const PATH = '/api/notes';

const NOTES =
  '{"notes":[{"id":1,"title":"Call Ada","body":"about the engine","createdAt":"2026-01-01T00:00:00Z"}]}';

/** The `http` block of an application that answers at once, by nginx: a small JSON, and a health path. */
export function smallJson(port: number): string {
  return `
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = ${PATH} { default_type application/json; return 200 '${NOTES}'; }
    location = /health { return 200; }
  }`;
}

/** An upstream for every peer that is not given one. */
export class Upstream implements AsyncDisposable {
  readonly origin: string;
  readonly #nginx: Pinned;

  private constructor(port: number, nginx: Pinned) {
    this.origin = `http://127.0.0.1:${port}`;
    this.#nginx = nginx;
  }

  static async start(): Promise<Upstream> {
    const port = await freePort();
    const nginx = new Pinned(nginxCommand(smallJson(port)), { core: LOAD_CORE });
    await nginx.whileAlive(untilAnswers(`http://127.0.0.1:${port}/health`));
    return new Upstream(port, nginx);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#nginx.stop();
  }
}
