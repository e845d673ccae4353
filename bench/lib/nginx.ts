import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from './programs.ts';
import { temporaryFolder } from './temporary.ts';

/**
 * The command that runs nginx as one process without children, with these lines in its `http` block. Nothing is
 * logged: disks are not what is measured.
 */
export function nginxCommand(http: string): string[] {
  const folder = temporaryFolder();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr crit;
worker_rlimit_nofile 16384;
events { worker_connections 16000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${http}
}
`,
  );
  return [requireProgram('nginx'), '-p', folder, '-c', file];
}
