import type { RawAnswer } from './contract-answer.js';

/**
 * Splits what came on a connection into its answers, as strictly as a client should: a byte that belongs to none of
 * them is an error, since that is how a connection out of step shows. Interim answers are left out; answers to HEAD
 * can't be told from others, so there must be none.
 */
export function answersIn(received: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = received; rest !== '';) {
    const [answer, after] = takeAnswer(rest);
    if (answer.status >= 200) answers.push(answer);
    rest = after;
  }
  return answers;
}

function takeAnswer(text: string): [RawAnswer, rest: string] {
  const head = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n:]+:[^\r\n]*\r\n)*)\r\n/.exec(text);
  if (head === null) throw new Error(`This is no answer: ${text.slice(0, 200)}`);
  const [whole, status, lines = ''] = head;
  const headers = Object.fromEntries(lines.split('\r\n').map(field));
  const [body, rest] = takeBody(text.slice(whole.length), Number(status), headers);
  return [{ status: Number(status), headers, text: body }, rest];
}

function field(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function takeBody(text: string, status: number, headers: RawAnswer['headers']): [string, rest: string] {
  if (status < 200 || status === 204 || status === 304) return ['', text];
  if (headers['transfer-encoding'] === 'chunked') return takeChunks(text);
  const length = Number(headers['content-length'] ?? text.length);
  if (text.length < length) throw new Error(`The answer is cut off: ${text}`);
  return [text.slice(0, length), text.slice(length)];
}

function takeChunks(text: string): [string, rest: string] {
  let body = '';
  for (let rest = text; ;) {
    const line = /^([0-9a-f]+)\r\n/i.exec(rest);
    if (line === null) throw new Error(`This is no chunk: ${rest.slice(0, 200)}`);
    const size = Number.parseInt(line[1] ?? '', 16);
    const from = line[0].length;
    body += rest.slice(from, from + size);
    if (rest.slice(from + size, from + size + 2) !== '\r\n')
      throw new Error(`This chunk has no end: ${rest}`);
    rest = rest.slice(from + size + 2);
    if (size === 0) return [body, rest];
  }
}
