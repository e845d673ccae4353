import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and its certificate, both PEM, for which nobody has vouched. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** @param name a host, or an address written as `IP:127.0.0.1` */
export async function selfSigned(name: string): Promise<SelfSigned> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-certificate-'));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const subject = name.includes(':') ? name : `DNS:${name}`;
  const making = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=upstream`;
  execFileSync(
    'openssl',
    [...making.split(' '), '-addext', `subjectAltName=${subject}`, '-keyout', key, '-out', cert],
    {
      stdio: 'ignore',
    },
  );
  try {
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}
