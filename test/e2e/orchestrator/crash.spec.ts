import { describe, expect, it } from '@jest/globals';
import type { Moment } from '../../support/crash-points.js';
import { Installation } from '../../support/installation.js';
import { killAtEachStep } from '../../support/kill-at-each-step.js';
import { processSlices } from '../../support/slice-world.js';
import { soak } from '../../support/soak.js';

/** After a step, the next one has not begun: the other moment only adds what the database has not committed yet. */
const MOMENTS: readonly Moment[] = process.env['SOAK'] === '1' ? ['after', 'before'] : ['after'];

describe.each(MOMENTS)('a gateway that is killed %s a step', (moment) => {
  it('leaves all of a slice or nothing, once the next one has started', async () => {
    await using installation = await Installation.create();
    const scene = {
      installation,
      setting: installation,
      find: () => processSlices(installation.dataDir),
      reached: 'ports' as const,
    };
    const { creation, destruction } = await killAtEachStep(scene, { moment, stride: soak(1, 3) });
    // What it met is what there is to meet: data folder, log, launcher, its record, its plan; and PostgreSQL before that.
    const inDatabase = ['INSERT', 'UPDATE', 'CREATE', 'COMMENT', 'REVOKE', 'ALTER', 'COMMIT'];
    const onHost = ['mkdir', 'open', 'spawn', 'writeFile', 'rename', 'tell the child'];
    expect(new Set(creation)).toEqual(new Set([...inDatabase, ...onHost]));
    expect(new Set(destruction)).toEqual(
      new Set(['UPDATE', 'INSERT', 'kill SIGTERM', 'rm', 'DROP', 'COMMIT']),
    );
  }, 600_000);
});
