/** The configuration can't be used; `faults` holds every reason, each naming its variable. */
export class ConfigError extends Error {
  /** sysexits.h EX_CONFIG. */
  static readonly EXIT_CODE = 78;

  constructor(readonly faults: readonly string[]) {
    super(['The configuration has faults:', ...faults.map((fault) => `  - ${fault}`)].join('\n'));
    this.name = 'ConfigError';
  }
}
