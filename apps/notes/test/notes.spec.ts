import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from './support/app.ts';
import { startPostgres, type TestPostgres } from './support/postgres.ts';

let postgres: TestPostgres;
let app: TestApp;

beforeAll(async () => {
  postgres = await startPostgres();
  app = await startApp({ DATABASE_URL: postgres.url });
});

afterAll(async () => {
  await app.remove();
  await postgres.remove();
});

async function create(title: string): Promise<number> {
  return (await app.call<{ id: number }>('POST', '/api/notes', { title })).body.id;
}

describe('notes', () => {
  it('are created, read, changed and deleted', async () => {
    const created = await app.call('POST', '/api/notes', { title: ' Milk ', body: 'two litres\n' });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      id: expect.any(Number),
      title: 'Milk',
      body: 'two litres\n',
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: expect.any(String),
    });
    const path = created.headers.get('location') ?? '';
    expect(await app.call('GET', path)).toMatchObject({ status: 200, body: created.body });
    expect(await app.call('PATCH', path, { body: 'three litres' })).toMatchObject({
      status: 200,
      body: { title: 'Milk', body: 'three litres', version: 2 },
    });
    expect(await app.call('PATCH', path, { body: '' })).toMatchObject({ body: { body: '', version: 3 } });
    expect((await app.call('DELETE', path)).status).toBe(204);
    expect((await app.call('GET', path)).status).toBe(404);
    expect((await app.call('DELETE', path)).status).toBe(404);
    expect((await app.call('PATCH', path, { title: 'x' })).status).toBe(404);
  });

  it('are listed newest first, page by page', async () => {
    const ids = [await create('one'), await create('two'), await create('three')];
    const first = await app.call('GET', '/api/notes?limit=2');
    expect(first.body).toMatchObject([{ id: ids[2] }, { id: ids[1] }]);
    const second = await app.call<object[]>('GET', `/api/notes?limit=2&before=${ids[1]}`);
    expect(second.body[0]).toMatchObject({ id: ids[0] });
  });

  it('keep any text as it is', async () => {
    const title = `'; drop table note; -- \u{1F600} <script> $1 \\`;
    const { body } = await app.call('POST', '/api/notes', { title });
    expect(body).toMatchObject({ title });
  });
});

describe('what is not a note', () => {
  it.each([
    ['no title', {}, 'title'],
    ['an empty title', { title: '  ' }, 'title'],
    ['a long title', { title: 'x'.repeat(201) }, 'title'],
    ['a title that is no text', { title: { $ne: 1 } }, 'title'],
    ['a NUL', { title: 'a\0b' }, 'title'],
    ['a long text', { title: 'x', body: 'x'.repeat(100_001) }, 'body'],
    ['an unknown field', { title: 'x', id: 7 }, 'id'],
    ['__proto__', JSON.parse('{"title":"x","__proto__":{"admin":true}}'), '__proto__'],
    ['a list', ['x'], ''],
  ])('is refused, field by field: %s', async (_what, input, path) => {
    expect(await app.call('POST', '/api/notes', input)).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', error: 'validation_failed', details: [{ path }] },
    });
  });

  it('is refused before it is looked for, with nothing to change', async () => {
    expect(await app.call('PATCH', `/api/notes/${await create('x')}`, {})).toMatchObject({ status: 400 });
  });

  it.each(['0', '-1', '1.5', 'abc', '2147483648', '99999999999999999999', '%00', "1'--"])(
    'has no id %s',
    async (id) => {
      expect(await app.call('GET', `/api/notes/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'NOT_FOUND' },
      });
    },
  );

  it.each(['limit=0', 'limit=101', 'limit=x', 'before=-1', 'limit=1&limit=2'])(
    'is no page: %s',
    async (query) => {
      expect(await app.call('GET', `/api/notes?${query}`)).toMatchObject({ status: 400 });
    },
  );

  it.each([
    ['{"title":', 'application/json', 400, 'INVALID_JSON'],
    ['title=x', 'application/x-www-form-urlencoded', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{"title":"x"}', 'application/json; charset=klingon', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [`{"title":"${'x'.repeat(1_048_576)}"}`, 'application/json', 413, 'BODY_TOO_LARGE'],
  ])('is not %.20s as %s', async (body, type, status, code) => {
    const response = await fetch(`${app.url}/api/notes`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': type },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, status });
  });

  it('is an unknown path', async () => {
    expect(await app.call('GET', '/api/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await app.call('GET', '/api/notes/%zz')).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST' },
    });
  });
});
