import { Controller, Get, Post } from '@nestjs/common';
import { type ApiKeyPrincipal, CurrentPrincipal, RequireApiKey } from '#auth';
import { ADMIN_KEY, type Answer, type AuthApp } from './auth-app.js';

/** An endpoint of workers, until there are some. */
@Controller('jobs')
@RequireApiKey()
export class WorkProbe {
  @Get('target')
  target(@CurrentPrincipal() worker: ApiKeyPrincipal) {
    return worker;
  }

  @Post('result')
  result() {
    return { status: 'ok' };
  }
}

export const OPERATOR = { 'x-admin-key': ADMIN_KEY };

export interface MadeKey {
  readonly key: string;
  readonly id: string;
}

/** Makes an API key. */
export async function generate(app: AuthApp, body: object = {}): Promise<MadeKey> {
  const answer = await app.send('POST', '/api/apikeys/generate', {
    headers: OPERATOR,
    body: { name: 'AWS-US-East-1-Ping-Worker', worker_type: 'ping', ...body },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body as unknown as MadeKey;
}

/** A request of a worker. */
export function work(app: AuthApp, key: string, method = 'GET', path = '/jobs/target'): Promise<Answer> {
  return app.send(method, path, { headers: { authorization: `Bearer ${key}` } });
}

/** The keys as the operator sees them. */
export async function listed(app: AuthApp): Promise<Record<string, unknown>[]> {
  const { body } = await app.send('GET', '/api/apikeys/list', { headers: OPERATOR });
  return body as unknown as Record<string, unknown>[];
}
