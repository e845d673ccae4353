/** One line of the table. */
export interface Line {
  /** What was measured, such as `throughput`. */
  readonly what: string;
  /** Of whom. */
  readonly who: string;
  readonly figures: string;
  /** Sluice's figure compared with it. */
  readonly compared?: string;
  /** What must be reached, in words. */
  readonly target?: string;
  /** Whether it was; absent where there is no target. */
  readonly reached?: boolean;
}

/** What a row of the benchmark gives: its lines, and the figures they were made from. */
export interface RowResult {
  readonly lines: readonly Line[];
  readonly data: unknown;
}

const HEAD = ['what', 'who', 'figures', 'Sluice against it', 'must reach', ''];

/** The lines as a Markdown table, padded so that it reads well in a terminal too. */
export function renderTable(lines: readonly Line[]): string {
  const rows = [HEAD, ...lines.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const rendered = rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`);
  rendered.splice(1, 0, `| ${widths.map((width) => '-'.repeat(Math.max(3, width))).join(' | ')} |`);
  return rendered.join('\n');
}

function cellsOf({ what, who, figures, compared = '', target = '', reached }: Line): string[] {
  return [what, who, figures, compared, target, reached === undefined ? '' : reached ? 'yes' : 'NO'];
}

/** `1,234` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** `1.23 ×` */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
