/** Slices can't run here just now: no engine answers, or the machine lacks what the runtime needs. Worth a retry. */
export class RuntimeUnavailableError extends Error {
  override readonly name = 'RuntimeUnavailableError';
}

/** Something else listens on the port the slice was given. The caller gives it another one. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';

  constructor(
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(`port ${port} is already in use on this host`, options);
  }
}

/** The slice can't be started as it is specified: no such image or program, or it ended at once. */
export class StartFailedError extends Error {
  override readonly name = 'StartFailedError';

  constructor(
    message: string,
    /** The last lines the slice wrote, if it came that far. For the operator: it may hold the app's secrets. */
    readonly logTail: string = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What should be the slice's belongs to someone else. It is left alone; a person has to look. */
export class ForeignResourceError extends Error {
  override readonly name = 'ForeignResourceError';
}
