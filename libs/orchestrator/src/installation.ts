/** This installation's id (eight hexadecimal digits): part of every name that stands outside our own database. */
export class InstallationId {
  constructor(readonly value: string) {}
}
