import { describe, expect, it } from '@jest/globals';
import { ApiOperation, loadSwagger } from './api-decorators.js';

describe('loadSwagger', () => {
  it('that failed at one decorator has them all when it is asked again', async () => {
    let isBroken = true;
    const broken = {
      get summary(): string {
        if (isBroken) throw new Error('no summary yet');
        return 'the second';
      },
    };
    class Subject {
      @ApiOperation({ summary: 'the first' })
      first(): void {}

      @ApiOperation(broken)
      second(): void {}

      @ApiOperation({ summary: 'the third' })
      third(): void {}
    }
    const summaries = () =>
      ['first', 'second', 'third'].map(
        (name) => Reflect.getMetadata('swagger/apiOperation', Reflect.get(Subject.prototype, name))?.summary,
      );

    await expect(loadSwagger()).rejects.toThrow('no summary yet');
    expect(summaries()).toEqual(['the first', undefined, undefined]);
    isBroken = false;
    await loadSwagger();
    expect(summaries()).toEqual(['the first', 'the second', 'the third']);
  });
});
