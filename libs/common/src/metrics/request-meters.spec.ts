import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';

const lines = async (metrics: Metrics): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith('sluice_http'));

const of = (method: string, status: string) =>
  `{route="a",target="route",method="${method}",status="${status}"`;

describe('the meters of requests', () => {
  it('are a histogram as Prometheus reads it', async () => {
    const metrics = new Metrics();
    const meter = metrics.requests.of('a', 'route');
    meter.count('GET', 200, 0.003);
    meter.count('GET', 204, 0.2);
    meter.count('GET', 200, 99);
    meter.count('BREW', 418, 0.001);
    expect(await metrics.text()).toContain('# TYPE sluice_http_request_duration_seconds histogram');
    const all = await lines(metrics);
    const get = of('GET', '2xx');
    expect(all).toEqual(
      expect.arrayContaining([
        `sluice_http_request_duration_seconds_bucket${get},le="0.002"} 0`,
        `sluice_http_request_duration_seconds_bucket${get},le="0.005"} 1`,
        `sluice_http_request_duration_seconds_bucket${get},le="0.25"} 2`,
        `sluice_http_request_duration_seconds_bucket${get},le="30"} 2`,
        `sluice_http_request_duration_seconds_bucket${get},le="+Inf"} 3`,
        `sluice_http_request_duration_seconds_sum${get}} 99.203`,
        `sluice_http_request_duration_seconds_count${get}} 3`,
        `sluice_http_request_duration_seconds_count${of('other', '4xx')}} 1`,
      ]),
    );
  });

  it('tell how long the heads of answers take, apart from the answers', async () => {
    const metrics = new Metrics();
    const meter = metrics.requests.of('a', 'route');
    meter.head(0.2);
    meter.count('GET', 200, 3600);
    const text = await metrics.text();
    expect(text).toContain('# TYPE sluice_http_time_to_head_seconds histogram');
    const labels = '{route="a",target="route"';
    for (const line of [`bucket${labels},le="0.1"} 0`, `bucket${labels},le="0.25"} 1`, `count${labels}} 1`])
      expect(text).toContain(`sluice_http_time_to_head_seconds_${line}`);
    expect(text).toContain(`sluice_http_time_to_head_seconds_sum${labels}} 0.2`);
  });

  it('are the same for the same route, and bounded', async () => {
    const { requests } = new Metrics();
    expect(requests.of('a', 'route')).toBe(requests.of('a', 'route'));
    expect(requests.of('a', 'service')).not.toBe(requests.of('a', 'route'));
    const meters = Array.from({ length: 5000 }, (_, i) => requests.of(String(i), 'route'));
    expect(new Set(meters).size).toBeLessThanOrEqual(2001);
  });

  it('count a status that is none as a failure of ours', async () => {
    const metrics = new Metrics();
    metrics.requests.of('a', 'none').count(undefined, 0, 0);
    expect((await lines(metrics)).join()).toContain('method="other",status="5xx"');
  });
});

describe('the metrics', () => {
  it('leave a figure out that can not be had just now', async () => {
    const metrics = new Metrics();
    metrics.gauge('sluice_broken', 'x', [], () => Promise.reject(new Error('away')));
    metrics.gauge('sluice_broken_as_well', 'x', ['of'], () => {
      throw new Error('away');
    });
    metrics.gauge('sluice_fine', 'x', ['of'], () => [{ labels: { of: 'y' }, value: 7 }]);
    const text = await metrics.text();
    expect(text).toContain('sluice_fine{of="y"} 7');
    expect(text).not.toMatch(/^sluice_broken/m);
  });
});
