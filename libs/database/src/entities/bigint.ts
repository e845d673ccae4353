/** bigint: pg gives it as a string, so that nothing is lost; ours fit a number. */
export const bigintAsNumber = {
  to: (value: number | undefined): number | undefined => value,
  from: (value: string | null): number | null => (value === null ? null : Number(value)),
};
