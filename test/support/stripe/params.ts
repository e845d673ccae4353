/** Parameters of a request, nested as their brackets say. */
export type Params = Record<string, unknown>;

/** A parameter that is known: by its name, brackets and all. */
export type Rule = string | RegExp;

/** An error as Stripe tells it. */
export class StripeFault extends Error {
  constructor(
    readonly status: number,
    readonly body: { type: string; message: string; code?: string; param?: string },
  ) {
    super(body.message);
  }
}

export function invalid(message: string, param?: string): StripeFault {
  return new StripeFault(400, {
    type: 'invalid_request_error',
    message,
    ...(param === undefined ? {} : { param }),
  });
}

export function missing(what: string, id: string, param: string): StripeFault {
  return new StripeFault(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such ${what}: '${id}'`,
  });
}

/** @throws StripeFault for what is not known: Stripe takes no parameter that it does not read */
export function checkParams(flat: URLSearchParams, allowed: readonly Rule[]): void {
  for (const name of flat.keys()) {
    const known = allowed.some((rule) => (typeof rule === 'string' ? rule === name : rule.test(name)));
    if (known) continue;
    throw new StripeFault(400, {
      type: 'invalid_request_error',
      code: 'parameter_unknown',
      param: name,
      message: `Received unknown parameter: ${name}`,
    });
  }
}

/** What a parameter may be, where it is given; or that it has to be. */
export interface Value {
  readonly name: string;
  readonly is: RegExp;
  readonly required?: true;
}

export const BOOLEAN = /^(true|false)$/;
export const WEB_ADDRESS = /^https?:\/\/[^\s/]+/;

/** @throws StripeFault for what is missing, or is not as it has to be */
export function checkValues(flat: URLSearchParams, values: readonly Value[]): void {
  for (const { name, is, required } of values) {
    const value = flat.get(name);
    if (value === null && required === undefined) continue;
    if (value === null) {
      throw new StripeFault(400, {
        type: 'invalid_request_error',
        code: 'parameter_missing',
        param: name,
        message: `Missing required param: ${name}.`,
      });
    }
    if (!is.test(value)) throw invalid(`Invalid ${name}: ${value}`, name);
  }
}

/** @throws StripeFault for what would not fit */
export function checkMetadata(flat: URLSearchParams): void {
  for (const [name, value] of flat) {
    const key = /metadata\]?\[(\w+)\]$/.exec(name)?.[1];
    if (key !== undefined && (key.length > 40 || value.length > 500))
      throw invalid('Metadata keys are up to 40 characters long, values up to 500', name);
  }
}

/** `a[b][0]=c` as `{a: {b: {0: 'c'}}}` */
export function paramsOf(flat: URLSearchParams): Params {
  const params: Params = {};
  for (const [name, value] of flat) {
    const [first = '', ...rest] = name.split(/[[\]]+/).filter((step) => step !== '');
    let at = params;
    let key = first;
    for (const step of rest) {
      at = (at[key] ??= {}) as Params;
      key = step;
    }
    at[key] = value;
  }
  return params;
}
