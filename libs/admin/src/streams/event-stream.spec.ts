import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { EventStream, type ServerSentEvent } from './event-stream.js';

/** Says nothing, and does not look whether anybody listens. */
async function* silence(): AsyncGenerator<ServerSentEvent, void, void> {
  yield await new Promise<never>(() => undefined);
}

describe('a stream of events', () => {
  it('that is ended says nothing more', async () => {
    const ending = new AbortController();
    const all = text(new EventStream(silence, ending));
    ending.abort();
    expect(await all).toMatch(/^: /);
  });

  it('that was ended before it began ends', async () => {
    const ending = new AbortController();
    ending.abort();
    expect(await text(new EventStream(silence, ending))).toMatch(/^: /);
  });
});
