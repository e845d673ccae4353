import { describe, expect, it } from '@jest/globals';
import { redactUrl } from './redaction.js';

describe('a URL in the log', () => {
  it.each([
    ['/a', '/a'],
    ['/a?page=2&sort=name', '/a?page=2&sort=name'],
    ['/a?key=s3cret', '/a?key=[redacted]'],
    ['/a?KEY=s3cret#part', '/a?KEY=[redacted]#part'],
    ['/a?page=2&token=s3cret&sort=name', '/a?page=2&token=[redacted]&sort=name'],
    ['/a?access_token=s3cret&X-Admin-Key=s3cret', '/a?access_token=[redacted]&X-Admin-Key=[redacted]'],
    ['/a?code=s3cret&state=s3cret', '/a?code=[redacted]&state=[redacted]'],
    ['/a?password=s3cret%26=still', '/a?password=[redacted]'],
    ['/a?token=s3cret=s3cret?s3cret', '/a?token=[redacted]'],
    ['/a?token=', '/a?token=[redacted]'],
    ['/socket.io/?EIO=4&transport=polling&sid=x', '/socket.io/?EIO=4&transport=polling&sid=x'],
  ])('%s is %s', (url, logged) => {
    expect(redactUrl(url)).toBe(logged);
  });
});
