import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Via } from './via.js';

const via = new Via('0123ABCD');

function refusal(value: string | undefined): string | undefined {
  return via.refuseReturn({ headers: { via: value } } as unknown as IncomingMessage)?.code;
}

describe('Via', () => {
  it.each([
    '1.1 sluice-0123abcd',
    '1.0 Sluice-0123ABCD',
    '1.1 fred, 1.1 sluice-0123abcd (a comment), 1.1 p.example:8080',
    'HTTP/1.1\tsluice-0123abcd',
    ' , 1.1  sluice-0123abcd ,',
  ])('knows a request that has been here: %j', (value) => {
    expect(refusal(value)).toBe('LOOP_DETECTED');
  });

  it.each([undefined, '', '1.1 fred', '1.1 sluice', '1.1 sluice-0123abce', '1.1 fred (sluice-0123abcd)'])(
    'lets another pass: %j',
    (value) => {
      expect(refusal(value)).toBeUndefined();
    },
  );

  it('says by which version the request came', () => {
    expect(via.lineFor({ httpVersion: '1.0' } as IncomingMessage)).toBe('1.0 sluice-0123abcd');
  });
});
