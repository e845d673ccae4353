import { fileURLToPath } from 'node:url';

/** The command of one of the servers beside this file. */
export function nodeServer(name: string, port: number, upstream = ''): string[] {
  const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  return [process.execPath, file, String(port), upstream];
}

/** The file of a program among the peers' packages. */
export function packageProgram(path: string): string {
  return fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
}
