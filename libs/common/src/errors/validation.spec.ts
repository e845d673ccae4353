import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { CoreError } from './domain-error.js';
import { detailsOf, plainMessage, validationFailed, validationPipe } from './validation.js';

const schema = z.strictObject({
  email: z.email('must be an e-mail address'),
  tags: z.array(z.string()).optional(),
  env: z.record(z.string().regex(/^[A-Z]+$/, 'must be upper case'), z.string()).optional(),
});

async function detailsFor(value: unknown): Promise<unknown> {
  try {
    return await validationPipe().transform(value, { type: 'body', schema } as never);
  } catch (error) {
    expect(error).toBeInstanceOf(CoreError);
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
    return error instanceof CoreError ? error.details : [];
  }
}

describe('a value that is checked against a schema', () => {
  it('is handed on when it is valid', async () => {
    const value = { email: 'ada@example.com', env: { A: 'b' } };
    expect(await detailsFor(value)).toEqual(value);
  });

  it('is refused with one entry for each faulty field, by its path', async () => {
    expect(await detailsFor({ email: 'ada', tags: ['a', 1], env: { A: 1, b: 'c' } })).toEqual([
      { path: 'email', message: 'must be an e-mail address' },
      { path: 'tags.1', message: expect.any(String) },
      { path: 'env.A', message: expect.any(String) },
      { path: 'env.b', message: 'must be upper case' },
    ]);
  });

  it('is refused with each unknown field by its name', async () => {
    expect(await detailsFor({ email: 'ada@example.com', role: 'admin', 'a.b': 1 })).toEqual([
      { path: 'role', message: 'is not a known field' },
      { path: 'a.b', message: 'is not a known field' },
    ]);
  });

  it('is refused with an empty path when it is no object at all', async () => {
    for (const value of [null, undefined, 1, 'text', []]) {
      expect(await detailsFor(value)).toEqual([{ path: '', message: expect.any(String) }]);
    }
  });

  it.each([
    '{"email":"ada@example.com","__proto__":{"role":"admin"}}',
    '{"email":"ada@example.com","env":{"__proto__":"x"}}',
    '{"email":"ada@example.com","tags":[[{"__proto__":1}]]}',
  ])('is refused for __proto__, wherever it stands: %s', async (json) => {
    expect(await detailsFor(JSON.parse(json))).toEqual([
      { path: '__proto__', message: 'is not a known field' },
    ]);
  });

  it('keeps a map key that is the name of something in JavaScript', async () => {
    const pattern = z.record(z.string(), z.string());
    const value = { toString: 'a', prototype: 'b' };
    expect(await validationPipe().transform(value, { type: 'body', schema: pattern } as never)).toEqual(
      value,
    );
  });

  it('is looked through to any depth', async () => {
    let value: unknown = 'x';
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    expect(await detailsFor(value)).toHaveLength(1);
  });
});

describe('a fault the schema has no words for', () => {
  const { error } = z
    .object({
      missing: z.string(),
      role: z.enum(['member', 'admin']),
      absentRole: z.enum(['member', 'admin']),
      either: z.union([z.string(), z.number()]),
      kind: z.literal('slice'),
      low: z.number().min(1),
      high: z.number().max(5),
      worded: z.string('must be text'),
    })
    .safeParse({ role: 'root', kind: 'x', low: 0, high: 6 });

  it('is told as what follows the name of the field', () => {
    expect(detailsOf(error?.issues ?? []).map(({ path, message }) => `${path} ${message}`)).toEqual([
      'missing is required',
      'role must be one of member, admin',
      'absentRole is required',
      'either is required',
      'kind must be slice',
      'low must be 1 at the least',
      'high must be 5 at the most',
      'worded must be text',
    ]);
  });
});

describe('an error for a person', () => {
  it('is its details as sentences', () => {
    const error = validationFailed([
      { path: 'password', message: 'must be 8 characters at the least' },
      { path: '', message: 'must name something to change' },
    ]);
    expect(plainMessage(error)).toBe(
      'The password must be 8 characters at the least. The request must name something to change.',
    );
  });

  it('is its message when it has none', () => {
    expect(plainMessage(new CoreError('NOT_FOUND', 'There is no such thing.'))).toBe(
      'There is no such thing.',
    );
  });
});

describe('the details of an error', () => {
  it('stay fewer and shorter than what was sent', () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `${i}`.padStart(300, 'k'));
    const details = detailsOf([{ message: 'x', keys } as { message: string }]);
    expect(details).toHaveLength(50);
    expect(details[0]?.path).toHaveLength(201);
  });

  it('read the path of any standard schema, whose steps may be objects', () => {
    expect(detailsOf([{ message: 'x', path: ['a', { key: 0 }, { key: Symbol('s') }] }])).toEqual([
      { path: 'a.0.Symbol(s)', message: 'x' },
    ]);
  });
});
