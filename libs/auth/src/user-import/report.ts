export interface ImportOptions {
  /** Import the rest of a file in which something is wrong. */
  readonly skipFaulty: boolean;
  /** Take `role` for what it says; else a role other than `member` is a fault. */
  readonly allowRoles: boolean;
}

/** What is wrong with a line of the file. */
export interface LineFault {
  /** Of the line, or of the entry in a JSON file, from 1. */
  readonly line: number;
  readonly message: string;
}

/** What came of an import. */
export interface ImportReport {
  readonly imported: number;
  /** Whoever has an account already; it was left as it is. */
  readonly existing: readonly { readonly line: number; readonly email: string }[];
  readonly faults: readonly LineFault[];
}

/** The file as a whole can't be read. */
export class UserFileFault extends Error {
  override readonly name = 'UserFileFault';
}
