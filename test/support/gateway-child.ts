import 'reflect-metadata';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { AppConfig } from '#config';
import { DatabaseServer } from '#database';
import { DockerRuntime, InstallationId, SliceRuntime } from '#orchestrator';
import { dockerOptions } from '../../libs/orchestrator/src/runtimes/create-runtime.js';
import { findContainersByName } from './container-names.js';
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
  /** With SLICE_NETWORK: the container that joins the slices' networks in the place of the gateway's own. */
  readonly standIn?: string;
}

/** What it is told. */
export type Order = { begin: GatewaySetting } | { crash: Moment; nth: number } | { steps: true };

let crashPoints: CrashPoints | undefined;

async function begin({ database, dataDir, env, standIn }: GatewaySetting): Promise<string> {
  const gateway = await Gateway.start({
    database: borrowed(database.connection),
    dataDir,
    env,
    ...(standIn === undefined ? {} : { override: (builder) => joinBy(builder, standIn) }),
  });
  crashPoints = new CrashPoints(gateway);
  const end = (): void => void gateway[Symbol.asyncDispose]().finally(() => process.exit());
  process.once('SIGTERM', end);
  process.once('disconnect', end); // a test that is gone leaves no gateway behind
  return gateway.url;
}

function joinBy(builder: TestingModuleBuilder, gateway: string): TestingModuleBuilder {
  findContainersByName();
  return builder.overrideProvider(SliceRuntime).useFactory({
    inject: [AppConfig, InstallationId, DatabaseServer],
    factory: (...configured: Parameters<typeof dockerOptions>) => {
      const { network, ...options } = dockerOptions(...configured);
      return new DockerRuntime({ ...options, network: network && { ...network, gateway } });
    },
  });
}

async function obey(order: Order): Promise<object> {
  if ('begin' in order) return { url: await begin(order.begin) };
  if ('steps' in order) return { steps: crashPoints?.steps() };
  crashPoints?.arm(order.crash, order.nth);
  return {};
}

process.on('message', (order: Order) => {
  void obey(order).then((answer) => process.send?.(answer));
});
