type Fields = Record<string, unknown>;

/** Writes one event as one line of JSON to stdout. An `error` field is written as its stack. */
export function log(level: 'info' | 'warn' | 'error', event: string, fields: Fields = {}): void {
  const { error, ...rest } = fields;
  const line = {
    time: new Date().toISOString(),
    level,
    event,
    ...rest,
    ...(error === undefined ? {} : describe(error)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function describe(error: unknown): Fields {
  return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
