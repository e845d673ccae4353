import { freePort } from '../lib/free-port.ts';
import type { Peer } from './peer.ts';
import { ProgramPeer } from './program-peer.ts';
import { nodeServer, packageProgram } from './servers/command.ts';

/** Fastify with its proxy, which forwards by undici. */
export async function fastifyHttpProxy(upstream: string): Promise<Peer> {
  const port = await freePort();
  return ProgramPeer.start('@fastify/http-proxy', port, [nodeServer('fastify', port, upstream)]);
}

/** The most used proxy middleware, where it is mostly used. */
export async function expressProxy(upstream: string): Promise<Peer> {
  const port = await freePort();
  return ProgramPeer.start('http-proxy-middleware in Express', port, [nodeServer('express', port, upstream)]);
}

/** JupyterHub's proxy: like Sluice, one upstream for each user. */
export async function configurableHttpProxy(upstream: string): Promise<Peer> {
  const [port, apiPort] = [await freePort(), await freePort()];
  const program = packageProgram('configurable-http-proxy/bin/configurable-http-proxy');
  const at = [
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--api-ip',
    '127.0.0.1',
    '--api-port',
    String(apiPort),
  ];
  const command = [process.execPath, program, ...at, '--default-target', upstream, '--log-level', 'error'];
  return ProgramPeer.start('configurable-http-proxy', port, [command]);
}
