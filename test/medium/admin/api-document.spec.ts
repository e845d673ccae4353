import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ApiOperation } from '#common';
import { Gateway } from '../../support/gateway.js';

describe('the OpenAPI document', () => {
  it('is whole for whoever asks after it once failed', async () => {
    await using gateway = await Gateway.start();
    let isBroken = true;
    class Broken {
      @ApiOperation({
        get summary(): string {
          if (isBroken) throw new Error('no summary yet');
          return '';
        },
      })
      method(): void {}
    }
    expect(Broken).toBeDefined();
    const operator = gateway.operator();
    expect(await operator.get('/admin/openapi.json')).toMatchObject({ status: 500 });
    isBroken = false;
    const { status, body } = await operator.get('/admin/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(readFileSync('openapi.json', 'utf8')));
  }, 30_000);
});
