import { describe, expect, it } from '@jest/globals';
import { Complaint } from './complaint.js';

describe('a complaint', () => {
  it('is news once, and again where it is another one or was over', () => {
    const complaint = new Complaint();
    const [away, full] = [new Error('away'), new Error('full')];
    expect(complaint.isNews(away)).toBe(true);
    expect(complaint.isNews(new Error('away'))).toBe(false);
    expect(complaint.isNews(full)).toBe(true);
    expect(complaint.isNews(away)).toBe(true);
    complaint.end();
    expect(complaint.isNews(away)).toBe(true);
  });
});
