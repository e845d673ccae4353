import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '#common';
import { EdgeAdapter } from '#proxy';
import type { EdgeHandler } from '../../../libs/proxy/src/http/edge-server.js';
import { RawClient, statusOf } from '../../support/raw-client.js';
import { portOf } from '../../support/stub-upstream.js';

@Controller()
class OwnController {
  @Get('own')
  own(): string {
    return 'from the application';
  }

  @Post('own')
  echo(@Body() body: unknown): unknown {
    return body;
  }
}

@Module({ controllers: [OwnController] })
class OwnModule {}

/** Takes what lies under /taken, and answers it when the test says so. */
class TakingEdge implements EdgeHandler {
  readonly #taken = Promise.withResolvers<ServerResponse>();
  drainedWithin: number | null = null;

  request(req: IncomingMessage, res: ServerResponse): boolean {
    if (req.url === '/broken') throw new Error('a defect of the edge');
    if (req.url !== '/taken') return false;
    this.#taken.resolve(res);
    return true;
  }

  /** The response of the request it took. */
  get taken(): Promise<ServerResponse> {
    return this.#taken.promise;
  }

  upgrade(req: IncomingMessage): void {
    req.socket.end('HTTP/1.1 418 x\r\n\r\n');
  }

  drain(deadlineMs: number): Promise<void> {
    this.drainedWithin = deadlineMs;
    return Promise.resolve();
  }
}

async function boot() {
  const adapter = new EdgeAdapter(new SystemClock(), 10_000);
  const app = await NestFactory.create(OwnModule, adapter, { logger: false });
  const edge = new TakingEdge();
  adapter.setEdge(edge);
  const server = await app.listen(0, '127.0.0.1');
  return { edge, port: portOf(server), [Symbol.asyncDispose]: () => app.close(), app };
}

describe('The adapter', () => {
  it('gives the application what the edge leaves', async () => {
    await using gateway = await boot();
    const answer = await RawClient.exchange(
      gateway.port,
      'GET /own HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer.endsWith('from the application')).toBe(true);
  });

  it('lets the application have a body that waits for 100 Continue', async () => {
    await using gateway = await boot();
    using client = await RawClient.connect(gateway.port);
    client.write(
      'POST /own HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
    );
    await client.until('HTTP/1.1 100 Continue');
    client.write('{"a":"b"}');
    await client.until('{"a":"b"}');
  });

  it('turns a defect of the edge into an answer that says nothing of it', async () => {
    await using gateway = await boot();
    const answer = await RawClient.exchange(
      gateway.port,
      'GET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(statusOf(answer)).toBe(500);
    expect(answer).toContain('INTERNAL_ERROR');
    expect(answer).not.toContain('defect');
  });

  it('gives websocket upgrades to the edge', async () => {
    await using gateway = await boot();
    const upgrade = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(statusOf(await RawClient.exchange(gateway.port, upgrade))).toBe(418);
  });

  it('waits at the end for requests in flight, and drains the edge', async () => {
    const gateway = await boot();
    using client = await RawClient.connect(gateway.port);
    client.write('GET /taken HTTP/1.1\r\nHost: a\r\n\r\nGET /own HTTP/1.1\r\nHost: a\r\n\r\n');
    const taken = await gateway.edge.taken;
    const closed = gateway.app.close();
    taken.end('finished');
    await client.until('finished');
    await closed;
    expect(gateway.edge.drainedWithin).toBe(10_000);
  });
});
