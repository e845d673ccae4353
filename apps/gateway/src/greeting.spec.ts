import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '#config';
import { greeting } from './greeting.js';

const URL = 'http://localhost:3000';

/** The line that asks for the status, without its `curl`: a shell then tells what curl would be given. */
function headerOf(text: string): string {
  return /curl -H (".*") \S+\/orchestrator\/status/.exec(text)?.[1] ?? '';
}

function inShell(quoted: string): string {
  return execFileSync('sh', ['-c', `printf %s ${quoted}`], { encoding: 'utf8' });
}

describe('the greeting', () => {
  let dataDir: string;
  const greet = (env: Record<string, string> = {}): string =>
    greeting(loadConfig({ DATA_DIR: dataDir, ...env }), URL);

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sluice-greeting-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('of the first start shows the secrets, and how to sign up', () => {
    const text = greet();
    const { admin } = loadConfig({ DATA_DIR: dataDir });
    expect(text).toContain(`password   ${admin.password}`);
    expect(text).toContain(`${URL}/auth/register`);
    expect(headerOf(text)).toBe(`"X-Admin-Key: ${admin.key}"`);
  });

  it('of a later start shows no secret, signs in, and finds the admin key where it is', () => {
    greet();
    const text = greet();
    const { admin } = loadConfig({ DATA_DIR: dataDir });
    expect(text).not.toContain(admin.password);
    expect(text).not.toContain(admin.key);
    expect(text).not.toContain('/auth/register');
    expect(text).toContain(`${URL}/auth/login`);
    expect(inShell(headerOf(text))).toBe(`X-Admin-Key: ${admin.key}`);
  });

  it('names the variables of secrets that were given', () => {
    const text = greet({ ADMIN_KEY: 'k'.repeat(32), ADMIN_PASSWORD: 'p'.repeat(20) });
    expect(text).toContain('password   ADMIN_PASSWORD');
    expect(headerOf(text)).toBe('"X-Admin-Key: $ADMIN_KEY"');
  });
});
