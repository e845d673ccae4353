import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { OperatorClient } from '../../support/clients.js';
import {
  buildTinyApp,
  describeWithDocker,
  docker,
  removeNetworks,
  TINY_APP_IMAGE,
} from '../../support/docker.js';
import type { Gateway } from '../../support/gateway.js';
import { Installation } from '../../support/installation.js';

const SWEEP = '/orchestrator/orphans/sweep';

const labelsOf = (owner: string, sliceId: number): Record<string, string> => ({
  'sluice.installation': owner,
  'sluice.slice': String(sliceId),
});

async function makeNetwork(name: string, labels: Record<string, string>): Promise<void> {
  await docker.createNetwork({ Name: name, CheckDuplicate: true, Labels: labels });
}

async function networksCalled(...names: string[]): Promise<string[]> {
  const networks = await docker.listNetworks();
  return networks.map(({ Name }) => Name).filter((name) => names.includes(name));
}

describeWithDocker('what containers leave behind that belong to no slice', () => {
  let installation: Installation;
  let gateway: Gateway;
  let operator: OperatorClient;
  let id: string;
  /** By name: those without this installation's label are nobody's to touch. */
  const strangers: string[] = [];

  beforeAll(async () => {
    await buildTinyApp();
    installation = await Installation.create({ SLICE_RUNTIME: 'docker', SLICE_IMAGE: TINY_APP_IMAGE });
    gateway = await installation.open();
    operator = gateway.operator();
    const [row] = await installation.query<{ id: string }>('SELECT id FROM installation');
    id = row?.id ?? '';
  }, 120_000);

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
    for (const name of strangers) await docker.getNetwork(name).remove();
    await removeNetworks(id);
  }, 60_000);

  it('is a network, too: reported, and swept with whoever is still on it', async () => {
    const lost = `of-before-${id}-slice-7`;
    await makeNetwork(lost, labelsOf(id, 7));
    const member = await docker.createContainer({ Image: TINY_APP_IMAGE, HostConfig: { NetworkMode: lost } });
    await member.start();
    const orphans = [{ kind: 'network', sliceId: 7 }];

    expect((await operator.get('/orchestrator/status')).body.orphans).toEqual(orphans);
    expect((await operator.post(SWEEP, { dryRun: true })).body).toEqual({ dryRun: true, orphans });
    expect(await networksCalled(lost)).toEqual([lost]);
    expect((await operator.post(SWEEP, { dryRun: false })).body).toEqual({ dryRun: false, orphans });
    expect(await networksCalled(lost)).toEqual([]);
    expect((await operator.post(SWEEP, { dryRun: false })).body.orphans).toEqual([]);
    // It was taken off the network, and is nobody's business otherwise.
    expect((await member.inspect()).State.Running).toBe(true);
    await member.remove({ force: true });
  }, 60_000);

  it('is never a network without this installation’s label, whatever it is called', async () => {
    strangers.push(`sluice-${id}-slice-8`, `theirs-${id}-slice-8`);
    await makeNetwork(`sluice-${id}-slice-8`, {});
    await makeNetwork(`theirs-${id}-slice-8`, labelsOf(`not-${id}`, 8));
    // Something of that slice is really lost, so that it is swept.
    await docker.createVolume({ Name: `sluice-${id}-slice-8`, Labels: labelsOf(id, 8) });
    const { body } = await operator.post(SWEEP, { dryRun: false });
    expect(body.orphans).toEqual([{ kind: 'data', sliceId: 8 }]);
    expect((await networksCalled(...strangers)).toSorted()).toEqual(strangers.toSorted());
  }, 60_000);
});
