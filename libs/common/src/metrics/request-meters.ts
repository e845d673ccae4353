import { Histogram, type Registry } from 'prom-client';

/**
 * What answers a request. Of a proxied one it is where its route comes from; `own` are Sluice's own endpoints, and
 * `none` is what was refused before it was known where it goes.
 */
export type TargetKind =
  'slice' | 'route' | 'service' | 'mapping' | 'worker' | 'health' | 'default' | 'own' | 'none';

const NAME = 'sluice_http_request_duration_seconds';
const HELP =
  'From the head of a request to the end of its answer, by route, target, method and class of status';

/** A quantile of whole answers says nothing: an event stream, or a large file, takes as long as it is meant to. */
const HEAD_NAME = 'sluice_http_time_to_head_seconds';
const HEAD_HELP = 'From the head of a proxied request to the head of its answer, by route and target';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'other'] as const;
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Configurations come and go while a gateway runs; what is counted of each must not take its memory. */
const MAX_METERS = 2000;

type Label = 'route' | 'target' | 'method' | 'status';

/** Requests of one route, method and class of status. */
class Cell {
  /** One behind the last is for what took longer than all. */
  readonly buckets = new Float64Array(BUCKETS.length + 1);
  sum = 0;
  count = 0;

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.sum += seconds;
    this.count++;
  }
}

/** Counts the requests of one route. To be got once and kept: then a request costs a few additions. */
export class RequestMeter {
  readonly cells: (Cell | undefined)[] = [];
  readonly heads = new Cell();

  constructor(
    readonly route: string,
    readonly target: TargetKind,
  ) {}

  /** @param status 101 for a WebSocket, 499 for a client that left */
  count(method: string | undefined, status: number, seconds: number): void {
    (this.cells[indexOf(method) * CLASSES.length + classOf(status)] ??= new Cell()).add(seconds);
  }

  /** The head of an answer is here, or it is known that none comes. */
  head(seconds: number): void {
    this.heads.add(seconds);
  }
}

/**
 * How many requests there were, and how long they took, as a histogram of prom-client. That one's own `observe` makes
 * a key of the labels each time, which would cost a twentieth of all requests; here they are known beforehand.
 */
export class RequestMeters extends Histogram<Label> {
  private readonly meters = new Map<string, RequestMeter>();
  private readonly rest = new RequestMeter('other', 'none');

  constructor(registry: Registry) {
    super({
      name: NAME,
      help: HELP,
      labelNames: ['route', 'target', 'method', 'status'],
      buckets: [...BUCKETS],
      registers: [registry],
    });
    registry.registerMetric(new HeadTimes(() => this.all));
  }

  /** @param route names it by what is configured: never by a customer or by a path that a client chose */
  of(route: string, target: TargetKind): RequestMeter {
    const key = `${target}\n${route}`;
    const known = this.meters.get(key);
    if (known !== undefined) return known;
    if (this.meters.size >= MAX_METERS) return this.rest;
    const meter = new RequestMeter(route, target);
    this.meters.set(key, meter);
    return meter;
  }

  private get all(): RequestMeter[] {
    return [...this.meters.values(), this.rest];
  }

  /** What prom-client makes its text of, in its own words. */
  getForPromString(): Promise<object> {
    const values = this.all.flatMap((meter) =>
      meter.cells.flatMap((cell, index) => (cell === undefined ? [] : valuesOf(meter, index, cell))),
    );
    return Promise.resolve({ name: NAME, help: HELP, type: 'histogram', aggregator: 'sum', values });
  }
}

/** How long clients wait for the beginning of an answer; counted by the same meters. */
class HeadTimes extends Histogram<'route' | 'target'> {
  constructor(private readonly meters: () => readonly RequestMeter[]) {
    super({
      name: HEAD_NAME,
      help: HEAD_HELP,
      labelNames: ['route', 'target'],
      buckets: [...BUCKETS],
      registers: [],
    });
  }

  getForPromString(): Promise<object> {
    const values = this.meters()
      .filter(({ heads }) => heads.count > 0)
      .flatMap(({ route, target, heads }) => seriesOf(HEAD_NAME, { route, target }, heads));
    return Promise.resolve({
      name: HEAD_NAME,
      help: HEAD_HELP,
      type: 'histogram',
      aggregator: 'sum',
      values,
    });
  }
}

function valuesOf({ route, target }: RequestMeter, index: number, cell: Cell) {
  return seriesOf(
    NAME,
    {
      route,
      target,
      method: METHODS[Math.floor(index / CLASSES.length)] ?? 'other',
      status: CLASSES[index % CLASSES.length] ?? '5xx',
    },
    cell,
  );
}

function seriesOf(name: string, labels: Readonly<Record<string, string>>, cell: Cell) {
  let upTo = 0;
  const buckets = [...BUCKETS, '+Inf'].map((le, i) => {
    upTo += cell.buckets[i] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: cell.sum },
    { metricName: `${name}_count`, labels, value: cell.count },
  ];
}

function indexOf(method = ''): number {
  switch (method) {
    case 'GET':
      return 0;
    case 'POST':
      return 1;
    case 'PUT':
      return 2;
    case 'PATCH':
      return 3;
    case 'DELETE':
      return 4;
    case 'HEAD':
      return 5;
    case 'OPTIONS':
      return 6;
    default:
      return 7;
  }
}

function classOf(status: number): number {
  return status >= 100 && status < 600 ? Math.floor(status / 100) - 1 : CLASSES.length - 1;
}
