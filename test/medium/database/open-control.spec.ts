import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { DatabaseServer } from '#database';
import { openControl } from '../../../libs/database/src/control/open-control.js';
import { closeServer, freePort } from '../../support/free-port.js';
import { quietLogger } from '../../support/quiet-logger.js';
import { RecordingLogger } from '../../support/recording-logger.js';

function serverAt(port: number): Pick<DatabaseServer, 'connection' | 'isEmbedded' | 'leave'> {
  const connection = {
    host: '127.0.0.1',
    port,
    user: 'x',
    password: 'y',
    database: 'z',
    ssl: false,
  } as const;
  return { connection, isEmbedded: false, leave: () => undefined };
}

describe('waiting for a PostgreSQL that does not answer', () => {
  it('says at its end where it looked, and what to check', async () => {
    const port = await freePort();
    const { signal: stop } = new AbortController();
    await expect(openControl(serverAt(port), { logger: quietLogger, patienceMs: -1, stop })).rejects.toThrow(
      `PostgreSQL at 127.0.0.1:${port} does not answer (ECONNREFUSED). ` +
        'Check that it runs, and that DATABASE_URL, or DB_HOST and DB_PORT, say where it is.',
    );
  });

  it('does not warn at each attempt, and ends when it is asked to', async () => {
    const stop = new AbortController();
    const asked = new Error('asked to stop');
    let attempts = 0;
    const hangsUp = createServer((socket) => {
      socket.destroy();
      attempts += 1;
      if (attempts === 3) stop.abort(asked);
    });
    const port = await new Promise<number>((resolve) => {
      hangsUp.listen(0, '127.0.0.1', () => resolve((hangsUp.address() as { port: number }).port));
    });
    const logger = new RecordingLogger();
    const opening = openControl(serverAt(port), { logger, patienceMs: 60_000, stop: stop.signal });
    await expect(opening).rejects.toBe(asked);
    await closeServer(hangsUp);
    expect(attempts).toBe(3);
    expect(logger.lines).toEqual([`warn 'PostgreSQL at 127.0.0.1:${port} does not answer yet'`]);
  });
});
