import { freePort } from '../lib/free-port.ts';
import { nginxCommand } from '../lib/nginx.ts';
import type { Peer } from './peer.ts';
import { ProgramPeer } from './program-peer.ts';
import { nodeServer } from './servers/command.ts';

const forwarded = (connection = '""'): string => `
      proxy_pass http://upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection ${connection};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;`;

/** nginx as a plain reverse proxy, with keep-alive to its upstream. */
export async function nginx(upstream: string): Promise<Peer> {
  return plain('nginx', upstream, '');
}

/** The same for bodies of any size: nothing is collected on disk before it is passed on. */
export async function nginxUnbuffered(upstream: string): Promise<Peer> {
  const streaming = 'proxy_buffering off; proxy_request_buffering off; client_max_body_size 0;';
  return plain('nginx, unbuffered', upstream, streaming);
}

/** The same for WebSockets. */
export async function nginxWebSockets(upstream: string): Promise<Peer> {
  const upgrading = 'proxy_set_header Upgrade $http_upgrade; proxy_read_timeout 1h;';
  return plain('nginx', upstream, upgrading, '"Upgrade"');
}

async function plain(name: string, upstream: string, directives: string, connection = '""'): Promise<Peer> {
  const port = await freePort();
  const command = nginxCommand(`
  upstream upstream { server ${authorityOf(upstream)}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      ${forwarded(connection)}
      ${directives}
    }
  }`);
  return ProgramPeer.start(name, port, [command]);
}

/** The usual way to sign in at nginx: it asks a server about each request, here one that agrees to everything. */
export async function nginxAuthRequest(upstream: string): Promise<Peer> {
  return withAuthRequest('nginx + auth_request', upstream, (port) => ({
    upstream: '',
    location: `proxy_pass http://127.0.0.1:${port};`,
  }));
}

/** The same for those who know that nginx opens a connection for each question unless it is told otherwise. */
export async function nginxAuthRequestKeepAlive(upstream: string): Promise<Peer> {
  return withAuthRequest('nginx + auth_request, keep-alive', upstream, (port) => ({
    upstream: `upstream auth { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; }`,
    location: 'proxy_pass http://auth; proxy_http_version 1.1; proxy_set_header Connection "";',
  }));
}

/** How nginx reaches the server that it asks. */
interface AuthServer {
  readonly upstream: string;
  readonly location: string;
}

async function withAuthRequest(
  name: string,
  upstream: string,
  reach: (port: number) => AuthServer,
): Promise<Peer> {
  const [port, authPort] = [await freePort(), await freePort()];
  const auth = reach(authPort);
  const command = nginxCommand(`
  upstream upstream { server ${authorityOf(upstream)}; keepalive 128; keepalive_requests 1000000000; }
  ${auth.upstream}
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      auth_request /auth;
      ${forwarded()}
    }
    location = /auth {
      internal;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      ${auth.location}
    }
  }`);
  return ProgramPeer.start(name, port, [nodeServer('agree', authPort), command]);
}

function authorityOf(origin: string): string {
  return new URL(origin).host;
}
