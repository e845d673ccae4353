import { validationFailed } from '../http/http-error.ts';

/** ext4 and most others take 255 bytes. */
const LONGEST_BYTES = 255;
/** Separators of any system, control characters, and what Windows gives a meaning of its own. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f\u007f]/u;

/**
 * The name as it is used on disk: one path segment, visible, in Unicode's composed form (NFC), so that the same name
 * typed on two systems is the same file.
 *
 * @throws HttpError 400 `VALIDATION_FAILED`
 */
export function parseFileName(text: string): string {
  const name = text.normalize('NFC');
  const fault = faultOf(name);
  if (fault) throw validationFailed([{ path: 'name', message: fault }]);
  return name;
}

function faultOf(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  // Covers `.` and `..` as well.
  if (name.startsWith('.')) return 'must not start with a dot';
  if (FORBIDDEN.test(name)) return 'must not contain / \\ : * ? " < > | or control characters';
  if (Buffer.byteLength(name) > LONGEST_BYTES) return `must be at most ${LONGEST_BYTES} bytes long`;
  return undefined;
}
