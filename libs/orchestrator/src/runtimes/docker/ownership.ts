import { ForeignResourceError } from '../errors.js';

type Labels = Readonly<Record<string, string>> | null | undefined;

/** The labels that tell whose a container, a network or a volume is. */
export const LABELS = {
  installation: 'sluice.installation',
  slice: 'sluice.slice',
  generation: 'sluice.generation',
} as const;

/**
 * What belongs to one installation at the engine: its names, its labels, and the refusal to touch anything else.
 */
export class Ownership {
  constructor(readonly installationId: string) {}

  /** The name of the installation's shared network. */
  get name(): string {
    return `sluice-${this.installationId}`;
  }

  /** The name of a slice's container and of its volume. */
  nameOf(sliceId: number): string {
    return `${this.name}-slice-${sliceId}`;
  }

  get labels(): Record<string, string> {
    return { [LABELS.installation]: this.installationId };
  }

  labelsOf(sliceId: number): Record<string, string> {
    return { ...this.labels, [LABELS.slice]: String(sliceId) };
  }

  /** For the list calls of the engine: all slices' things. */
  get filters(): { label: string[] } {
    return { label: [`${LABELS.installation}=${this.installationId}`, LABELS.slice] };
  }

  /** @throws ForeignResourceError */
  assertOurs(what: string, labels: Labels): void {
    if (labels?.[LABELS.installation] === this.installationId) return;
    throw new ForeignResourceError(
      `the ${what} has the name of one of ours but not the label ${LABELS.installation}=${this.installationId}: ` +
        `remove or rename it`,
    );
  }
}

/** The slice a labelled thing belongs to. */
export function sliceIdOf(labels: Labels): number {
  return Number(labels?.[LABELS.slice]);
}
