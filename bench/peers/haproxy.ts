import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../lib/free-port.ts';
import { requireProgram } from '../lib/programs.ts';
import { temporaryFolder } from '../lib/temporary.ts';
import type { Peer } from './peer.ts';
import { ProgramPeer } from './program-peer.ts';

/** haproxy on one thread, with its connections to the upstream shared as widely as it may. */
export async function haproxy(upstream: string): Promise<Peer> {
  const port = await freePort();
  const file = join(temporaryFolder(), 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server upstream ${new URL(upstream).host}
`,
  );
  return ProgramPeer.start('haproxy', port, [[requireProgram('haproxy'), '-db', '-f', file]]);
}
