import { describe, expect, it } from '@jest/globals';
import { array, assert, nat, oneof, property } from 'fast-check';
import { answers, mutatedAnswers } from '../../../../test/support/mutated-responses.js';
import { readInPieces, type Reading } from '../../../../test/support/read-answer.js';
import { soak } from '../../../../test/support/soak.js';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const KB = 1024;

function read(text: string, isHead = false): Reading {
  return readInPieces({ isHead }, [text]);
}

describe('The body of an answer', () => {
  it.each([
    ['has the length that was said', `${OK}Content-Length: 3\r\n\r\nabc`, 'abc'],
    ['is empty where its length is 0', `${OK}Content-Length: 0\r\n\r\n`, ''],
    ['comes in chunks', `${CHUNKED}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n`, 'abc0123456789'],
    ['may have no chunk', `${CHUNKED}0\r\n\r\n`, ''],
    ['has sizes with zeros in front, and a last one of zeros', `${CHUNKED}0003\r\nabc\r\n000\r\n\r\n`, 'abc'],
    ['loses extensions', `${CHUNKED}3;a;b=c;d="e;\\" f"\r\nabc\r\n0;last\r\n\r\n`, 'abc'],
    ['holds what looks like an end', `${CHUNKED}7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n`, '0\r\n\r\n\r\n'],
    ['ends by the connection where nothing else says so', `${OK}\r\nabc`, 'abc'],
    ['ends so in HTTP/1.0, too', 'HTTP/1.0 200 OK\r\n\r\nabc', 'abc'],
    ['is absent from 204', 'HTTP/1.1 204 x\r\n\r\n', ''],
    ['is absent from 204, whatever its length', 'HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\n', ''],
    ['is absent from 304, whatever its coding', 'HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n', ''],
  ])('%s', (_what, text, body) => {
    expect(read(text)).toMatchObject({ outcome: 'whole', body, trailers: [] });
  });

  it.each([
    ['with a length', `${OK}Content-Length: 3\r\n\r\n`],
    ['in chunks', CHUNKED],
    ['without an end of its own', `${OK}\r\n`],
  ])('is absent from an answer to HEAD %s', (_what, text) => {
    expect(read(text, true)).toMatchObject({ outcome: 'whole', body: '' });
  });

  it('is followed by trailers', () => {
    const { trailers, outcome } = read(`${CHUNKED}1\r\na\r\n0\r\nX-Sum: 1 \r\nB:\r\n\r\n`);
    expect([outcome, trailers]).toEqual(['whole', ['x-sum', '1', 'b', '']]);
  });

  it.each([
    ['a length', `${OK}Content-Length: 4\r\n\r\nabc`],
    ['a head', OK],
    ['nothing', ''],
    ['an interim answer', 'HTTP/1.1 103 x\r\n\r\n'],
    ['a chunk', `${CHUNKED}4\r\nabc`],
    ['the end of a chunk', `${CHUNKED}3\r\nabc\r`],
    ['a size', `${CHUNKED}3`],
    ['the last chunk', `${CHUNKED}3\r\nabc\r\n`],
    ['the end behind the last chunk', `${CHUNKED}0\r\n`],
    ['trailers', `${CHUNKED}0\r\nX: a\r\n`],
  ])('is no whole one when the connection ends within %s', (_what, text) => {
    expect(read(text).outcome).toBe('cut off');
  });
});

describe('Interim answers', () => {
  it('come before the final one, each as a head of its own', () => {
    const text = `HTTP/1.1 100 x\r\n\r\nHTTP/1.1 103 x\r\nLink: a\r\n\r\n${OK}Content-Length: 1\r\n\r\na`;
    const { heads, body } = read(text);
    expect(heads.map(({ status }) => status)).toEqual([100, 103, 200]);
    expect(body).toBe('a');
  });

  it('have no body, whatever they say of one', () => {
    const text = `HTTP/1.1 103 x\r\nContent-Length: 3\r\n\r\n${OK}Content-Length: 1\r\n\r\na`;
    expect(read(text)).toMatchObject({ outcome: 'whole', body: 'a' });
  });

  it('switch to no other protocol', () => {
    expect(read('HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')).toMatchObject({
      outcome: 'refused',
      heads: [],
    });
  });
});

describe('Chunks are refused', () => {
  it.each([
    ['without a size', '\r\nabc\r\n0\r\n\r\n'],
    ['of a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
    ['of a size with a sign', '+3\r\nabc\r\n0\r\n\r\n'],
    ['of a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['of a size in other digits', 'g\r\nabc\r\n0\r\n\r\n'],
    ['of a size with a blank in front', ' 3\r\nabc\r\n0\r\n\r\n'],
    ['of a size with a blank behind', '3 \r\nabc\r\n0\r\n\r\n'],
    ['of a size with a blank before an extension', '3 ;a\r\nabc\r\n0\r\n\r\n'],
    ['of a size beyond what is exact', '20000000000003\r\nabc\r\n0\r\n\r\n'],
    ['of 65 bits', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
    ['with a bare LF behind the size', '3\nabc\r\n0\r\n\r\n'],
    ['with a bare CR in the size', '3\r\r\nabc\r\n0\r\n\r\n'],
    ['with an extension without a name', '3;\r\nabc\r\n0\r\n\r\n'],
    ['with a blank in an extension', '3; a\r\nabc\r\n0\r\n\r\n'],
    ['with a quote that stays open', '3;a="b\r\nabc\r\n0\r\n\r\n'],
    ['with a NUL in an extension', '3;a="\0"\r\nabc\r\n0\r\n\r\n'],
    ['that are longer than they say', '2\r\nabc\r\n0\r\n\r\n'],
    ['that are shorter than they say', '4\r\nabc\r\n0\r\n\r\n'],
    ['with another character and an LF behind', '3\r\nabcx\n0\r\n\r\n'],
    ['with a bare LF behind', '3\r\nabc\n0\r\n\r\n'],
    ['with two CRs behind', '3\r\nabc\r\r\n0\r\n\r\n'],
    ['with framing in the trailers', '0\r\nContent-Length: 3\r\n\r\n'],
    ['with folded trailers', '0\r\nX: a\r\n b\r\n\r\n'],
    ['with a bare LF in the trailers', '0\r\nX: a\nY: b\r\n\r\n'],
  ])('%s', (_what, chunks) => {
    expect(read(CHUNKED + chunks).outcome).toBe('refused');
    expect(readInPieces({ isHead: false }, (CHUNKED + chunks).split('')).outcome).toBe('refused');
  });
});

/** Fields of so many bytes, that are in order. */
function lines(bytes: number): string {
  return `X: ${'x'.repeat(bytes - 5)}\r\n`;
}

/** A head of so many bytes, without its last line end, which is part of the empty line that is looked for. */
function head(bytes: number): string {
  return `${OK}${lines(bytes + 2 - OK.length)}\r\n`;
}

describe('The size', () => {
  it.each([
    ['a head of 16 KB', head(16 * KB), 'whole'],
    ['a head of more', head(16 * KB + 1), 'refused'],
    ['a head of more without an end', head(16 * KB + 3).slice(0, -4), 'refused'],
    ['an interim head of 16 KB before another', head(16 * KB).replace('200', '103') + head(16 * KB), 'whole'],
    ['trailers of 16 KB', `${CHUNKED}0\r\n${lines(16 * KB + 2)}\r\n`, 'whole'],
    ['trailers of more', `${CHUNKED}0\r\n${lines(16 * KB + 3)}\r\n`, 'refused'],
    ['trailers of more without an end', `${CHUNKED}0\r\n${lines(16 * KB + 6).slice(0, -2)}`, 'refused'],
    ['a size line of 4 KB', `${CHUNKED}0;${'x'.repeat(4 * KB - 3)}\r\n\r\n`, 'whole'],
    ['a size line of more', `${CHUNKED}0;${'x'.repeat(4 * KB - 2)}\r\n\r\n`, 'refused'],
    ['a size line of more without an end', `${CHUNKED}0;${'x'.repeat(4 * KB)}`, 'refused'],
  ])('of %s is as it may be, or not', (_what, text, outcome) => {
    expect(read(text).outcome).toBe(outcome);
    expect(readInPieces({ isHead: false }, text.match(/.{1,1000}/gs) ?? []).outcome).toBe(outcome);
  });
});

describe('What stands behind an answer', () => {
  it.each([
    ['with a length', `${OK}Content-Length: 1\r\n\r\na`],
    ['in chunks', `${CHUNKED}1\r\na\r\n0\r\n\r\n`],
    ['with trailers', `${CHUNKED}1\r\na\r\n0\r\nX: b\r\n\r\n`],
    ['without a body', 'HTTP/1.1 204 x\r\n\r\n'],
  ])('%s belongs to nobody', (_what, text) => {
    const whole = read(text);
    for (const excess of ['\r\n', 'x', text])
      expect(read(text + excess)).toEqual({ ...whole, outcome: 'excess' });
  });
});

describe('However an answer is cut into pieces', () => {
  it('it reads the same', () => {
    assert(
      property(oneof(answers, mutatedAnswers), array(nat(1_000), { maxLength: 20 }), (answer, cuts) => {
        const { taken: _, ...whole } = readInPieces(answer, [answer.text]);
        const { taken: __, ...cut } = readInPieces(answer, cutAt(answer.text, cuts));
        expect(cut).toEqual(whole);
      }),
      { numRuns: soak(50_000, 2_000) },
    );
  });

  it('at each of its bytes, it reads the same', () => {
    assert(
      property(mutatedAnswers, (answer) => {
        const { taken: _, ...whole } = readInPieces(answer, [answer.text]);
        const { taken: __, ...cut } = readInPieces(answer, answer.text.split(''));
        expect(cut).toEqual(whole);
      }),
      { numRuns: soak(10_000, 500) },
    );
  });
});

/** @param cuts in thousandths */
function cutAt(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set(cuts.map((cut) => Math.floor((cut / 1_000) * text.length)))].toSorted(
    (a, b) => a - b,
  );
  return [0, ...at].map((from, i) => text.slice(from, at[i])).filter((piece) => piece !== '');
}
