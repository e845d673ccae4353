import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { UsageError } from './with-accounts.ts';

/** Asks for a new password, twice and unseen, where somebody sits at a terminal; else it is what stands on standard input. */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, '');
  const password = await ask('Password: ');
  if (password !== (await ask('Again: '))) throw new UsageError('The two are not the same.');
  return password;
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  // What is typed is echoed into nothing.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
