import 'reflect-metadata';
import { CrashPoints, type Moment } from './crash-points.js';
import { Gateway } from './gateway.js';
import { borrowed, type TestDatabase } from './postgres.js';

/*
 * A gateway in a process of its own, for tests that kill it: gateway-process.ts starts it, and tells it what to do. It
 * ends in good order on SIGTERM.
 */

/** What a gateway begins with. */
export interface GatewaySetting {
  readonly database: Pick<TestDatabase, 'connection'>;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What it is told. */
export type Order = { begin: GatewaySetting } | { crash: Moment; nth: number };

let crashPoints: CrashPoints | undefined;

async function begin({ database, dataDir, env }: GatewaySetting): Promise<string> {
  const gateway = await Gateway.start({ database: borrowed(database.connection), dataDir, env });
  crashPoints = new CrashPoints(gateway);
  const end = (): void => void gateway[Symbol.asyncDispose]().finally(() => process.exit());
  process.once('SIGTERM', end);
  process.once('disconnect', end); // a test that is gone leaves no gateway behind
  return gateway.url;
}

async function obey(order: Order): Promise<object> {
  if ('begin' in order) return { url: await begin(order.begin) };
  crashPoints?.arm(order.crash, order.nth);
  return {};
}

process.on('message', (order: Order) => {
  void obey(order).then((answer) => process.send?.(answer));
});
