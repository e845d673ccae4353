import { PasswordHasherOptions } from '#auth';

/** A password costs a tenth of a second, and the tests hash thousands; those that are about the cost take the real one. */
export const CHEAP_PASSWORDS: PasswordHasherOptions = Object.assign(new PasswordHasherOptions(), {
  cost: { memoryCost: 64, timeCost: 1, parallelism: 1 },
});
