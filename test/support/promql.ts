import { parser } from '@prometheus-io/lezer-promql';

/** A series that an expression reads, with the labels it is told apart by. */
export interface Selected {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What an expression of Prometheus' query language asks for. */
export interface Expression {
  /** Whether it can be read at all, by Prometheus' own grammar. */
  readonly valid: boolean;
  readonly selected: readonly Selected[];
  /** The labels of `by`, `on` and the like. */
  readonly grouped: readonly string[];
}

/** @param text Grafana's own variables stand in it as they do in a dashboard */
export function readPromql(text: string): Expression {
  const query = text.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');
  const selected: { metric: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  let valid = true;
  let within = '';
  parser.parse(query).iterate({
    enter({ name, from, to, type }) {
      const source = query.slice(from, to);
      if (type.isError) valid = false;
      if (name === 'VectorSelector') selected.push({ metric: '', labels: [] });
      if (name === 'GroupingLabels' || name === 'LabelMatchers') within = name;
      const last = selected.at(-1);
      if (name === 'Identifier' && last !== undefined && last.metric === '') last.metric = source;
      if (name === 'LabelName' && within === 'GroupingLabels') grouped.push(source);
      if (name === 'LabelName' && within === 'LabelMatchers') last?.labels.push(source);
    },
  });
  return { valid, selected, grouped };
}
