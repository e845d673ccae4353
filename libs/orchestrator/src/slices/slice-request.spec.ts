import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changeSchema, provisionSchema, requestHash } from './slice-request.js';

function accepts(request: unknown): boolean {
  return provisionSchema.safeParse(request).success;
}

describe('a request for a slice', () => {
  it('may leave out everything', () => {
    expect(provisionSchema.parse({})).toEqual({});
  });

  it.each([
    [{ name: 'a' }, true],
    [{ name: 'a-1'.padEnd(63, 'x') }, true],
    [{ name: 'x'.repeat(64) }, false],
    [{ name: '' }, false],
    [{ name: '-a' }, false],
    [{ name: 'a-' }, false],
    [{ name: 'A' }, false],
    [{ name: 'a\r\nX-Evil: 1' }, false],
    [{ name: "a'; DROP TABLE slice; --" }, false],
    [{ image: 'registry.example:5000/acme/app:1.4@sha256:abc' }, true],
    [{ image: '-v/:/host' }, false],
    [{ image: 'acme/app 1' }, false],
    [{ owner: '3f0c9a5e-8f1c-4f6a-9b1e-2f4c5d6e7a8b' }, true],
    [{ owner: '1 OR 1=1' }, false],
    [{ owner: null }, false],
    [{ env: { A_1: 'any\ntext' } }, true],
    [{ env: { '1A': '' } }, false],
    [{ env: { 'A=B': '' } }, false],
    [{ env: { A: 'nul\0' } }, false],
    [{ env: { A: 1 } }, false],
    [{ env: [] }, false],
    [{ env: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`A${index}`, ''])) }, false],
    [{ cpus: 0.01 }, true],
    [{ cpus: 0 }, false],
    [{ cpus: 1e9 }, false],
    [{ cpus: '1' }, false],
    [{ unknown: 1 }, false],
    [[], false],
    [null, false],
    ['', false],
  ])('%j is accepted: %p', (request, expected) => {
    expect(accepts(request)).toBe(expected);
  });

  it.each([
    ['256m', 256 * 1024 ** 2],
    ['1g', 1024 ** 3],
    [6 * 1024 ** 2, 6 * 1024 ** 2],
    ['5m', null],
    [0, null],
    [-1, null],
    [1.5e8 + 0.5, null],
    [2 ** 60, null],
    ['1e9g', null],
    ['many', null],
    [{}, null],
  ])('memory %j means %p bytes', (memory, bytes) => {
    const parsed = provisionSchema.safeParse({ memory });
    expect(parsed.success ? parsed.data.memory : null).toBe(bytes);
  });

  it('takes __proto__ for no field of its own', () => {
    expect(accepts(JSON.parse('{"__proto__":{"name":"a"},"constructor":1}'))).toBe(false);
  });
});

describe('a change of a slice', () => {
  it('names at least one thing, and may take the owner away', () => {
    expect(changeSchema.safeParse({}).success).toBe(false);
    expect(changeSchema.parse({ owner: null })).toEqual({ owner: null });
  });
});

describe('the hash of a request', () => {
  it('is the same for the same request, in whatever order and notation', () => {
    const one = provisionSchema.parse({ name: 'a', memory: '1g', env: { A: '1', B: '2' } });
    const other = provisionSchema.parse({ env: { B: '2', A: '1' }, memory: 1024 ** 3, name: 'a' });
    expect(requestHash(one)).toBe(requestHash(other));
    expect(requestHash({ name: 'a', cpus: undefined })).toBe(requestHash({ name: 'a' }));
  });

  it('differs between different requests', () => {
    const env = fc.dictionary(fc.stringMatching(/^[A-Z]{1,3}$/), fc.string({ maxLength: 3 }), { maxKeys: 3 });
    const request = fc.record({ name: fc.constantFrom('a', 'b'), env }, { requiredKeys: [] });
    fc.assert(
      fc.property(request, request, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(requestHash(one) === requestHash(other)).toBe(same);
      }),
    );
  });
});

function sorted({ name, env }: { name?: string; env?: Record<string, string> }): unknown {
  return { name, env: env && Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}
