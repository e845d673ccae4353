import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { Metrics } from '#common';
import { Gateway } from '../../support/gateway.js';
import { readPromql } from '../../support/promql.js';

/** What Prometheus itself adds to each series, and the metric by which it tells that somebody answers. */
const OF_PROMETHEUS = ['instance', 'job'];
const FOREIGN = new Map([['up', OF_PROMETHEUS]]);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: ReadonlyArray<{ readonly expr: string }>;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

const read = (path: string): string =>
  readFileSync(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8');

const dashboard: { panels: Panel[]; templating: { list: ReadonlyArray<{ name: string }> } } = JSON.parse(
  read('grafana/sluice.json'),
);
const rules: Rule[] = parse(read('prometheus/alerts.yml')).groups.flatMap(
  ({ rules: ofGroup }: { rules: Rule[] }) => ofGroup,
);
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const expressions = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** The conditions of each branch of an expression of the form `(a and b) or (c and d)`. */
function branchesOf(expression: string): string[][] {
  return expression.split(/\)\s*or\s*\(/).map((branch) =>
    branch
      .replace(/^\(|\)$/g, '')
      .split(/\band\b/)
      .map((condition) => condition.trim()),
  );
}

describe('the dashboard and the alerts', () => {
  let gateway: Gateway;
  /** The labels of each series there can be, by its name. */
  let series: Map<string, readonly string[]>;

  beforeAll(async () => {
    gateway = await Gateway.start();
    series = new Map(FOREIGN);
    const { registry } = gateway.get(Metrics);
    for (const { name, type } of await registry.getMetricsAsJSON()) {
      const { labelNames } = Object(registry.getSingleMetric(name));
      const labels = [...labelNames, ...OF_PROMETHEUS];
      if (String(type) !== 'histogram') series.set(name, labels);
      else for (const part of ['sum', 'count']) series.set(`${name}_${part}`, labels);
      if (String(type) === 'histogram') series.set(`${name}_bucket`, [...labels, 'le']);
    }
  }, 20_000);
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each(expressions)('%s asks for what there is: %s', (_, text) => {
    const { valid, selected, grouped } = readPromql(text);
    expect(valid).toBe(true);
    expect(selected.length).toBeGreaterThan(0);
    for (const { metric, labels } of selected) {
      expect([...series.keys()]).toContain(metric);
      expect([...(series.get(metric) ?? [])]).toEqual(expect.arrayContaining([...labels]));
    }
    const known = selected.flatMap(({ metric }) => series.get(metric) ?? []);
    expect(known).toEqual(expect.arrayContaining([...grouped]));
  });

  it('miss no pass of a monitor that is switched off', async () => {
    expect(await gateway.get(Metrics).text()).toMatch(/^sluice_monitor_interval_seconds 0$/m);
    const silent = rules.find(({ alert }) => alert === 'SluiceMonitorSilent');
    // Each branch of the `or` fires for an interval above 0 alone.
    const branches = branchesOf(silent?.expr ?? '');
    expect(branches).toHaveLength(2);
    for (const branch of branches) {
      const bounds = branch.flatMap((condition) => {
        const [, bound] = /^max\(sluice_monitor_interval_seconds\)\s*>\s*(\d+)/.exec(condition) ?? [];
        return bound === undefined ? [] : [Number(bound)];
      });
      expect(Math.max(...bounds)).toBeGreaterThanOrEqual(0);
    }
  });

  it('see a pass that takes too long, at any interval up to an hour', () => {
    const slow = rules.find(({ alert }) => alert === 'SluiceMonitorSlow');
    const share = Number(slow?.expr.match(/> ([\d.]+) \*/)?.[1]);
    // What took longer than the last bucket is taken to have taken that long.
    const { upperBounds } = Object(gateway.get(Metrics).monitorPass);
    expect(Math.max(...upperBounds)).toBeGreaterThan(share * 3600);
  });

  it('show each metric there is', () => {
    const asked = new Set(
      expressions.flatMap(([, text]) => readPromql(text).selected.map(({ metric }) => metric)),
    );
    const shown = (name: string) => [name, `${name}_count`, `${name}_bucket`].some((each) => asked.has(each));
    expect(gateway.get(Metrics).names.filter((name) => !shown(name))).toEqual([]);
  });

  it('have panels that do not lie upon each other', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x},${y}`)]).toEqual([title, false]);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it.each(rules)('have a rule $alert that says how bad it is, and what', (rule) => {
    expect(rule).toMatchObject({
      alert: expect.stringMatching(/^Sluice[A-Z][A-Za-z]+$/),
      for: expect.stringMatching(/^\d+[smh]$/),
      labels: { severity: expect.stringMatching(/^(warning|critical)$/) },
      annotations: { summary: expect.stringMatching(/\S/), description: expect.stringMatching(/\.$/) },
    });
    // What a description tells of a label has to be in the result.
    const { selected, grouped } = readPromql(rule.expr);
    const told = [...(rule.annotations['description'] ?? '').matchAll(/\$labels\.(\w+)/g)].map(
      ([, label]) => label,
    );
    const aggregated = /\b(sum|max|min|avg)\b/.test(rule.expr);
    const left = aggregated ? grouped : selected.flatMap(({ metric }) => series.get(metric) ?? []);
    expect(left).toEqual(expect.arrayContaining(told));
    expect(rules.filter(({ alert }) => alert === rule.alert)).toHaveLength(1);
  });
});
