import { StandardSchemaValidationPipe } from '@nestjs/common';
import { CoreError, type DomainError, type ErrorDetail } from './domain-error.js';
import './schema-messages.js';

type Path = ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>;

interface Issue {
  readonly message: string;
  readonly path?: Path | undefined;
}

/** Two of zod's issues say more than the message: which keys are unknown, and what is wrong with a key. */
interface KeyIssue extends Issue {
  readonly keys?: readonly string[];
  readonly issues?: readonly Issue[];
}

/** A body of 100 KB can have ten thousand faults; nobody reads that many, and the answer must not outgrow the request. */
const MAX_DETAILS = 50;
const MAX_PATH_LENGTH = 200;

/** The issues of a schema as the `details` of an error: one entry per faulty field. */
export function detailsOf(issues: readonly Issue[]): ErrorDetail[] {
  return issues.flatMap(detailsOfIssue).slice(0, MAX_DETAILS);
}

function detailsOfIssue(issue: KeyIssue): ErrorDetail[] {
  const path = (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step));
  if (issue.keys !== undefined) {
    return issue.keys.map((key) => ({ path: dotted([...path, key]), message: 'is not a known field' }));
  }
  return [{ path: dotted(path), message: issue.issues?.[0]?.message ?? issue.message }];
}

function dotted(path: readonly PropertyKey[]): string {
  const text = path.map(String).join('.');
  return text.length <= MAX_PATH_LENGTH ? text : `${text.slice(0, MAX_PATH_LENGTH)}…`;
}

export function validationFailed(details: readonly ErrorDetail[]): CoreError {
  return new CoreError('VALIDATION_FAILED', 'The request is not valid; `details` names each faulty field.', {
    details,
  });
}

/** An error for a person, who sees no `details`: these as sentences, and the message where there are none. */
export function plainMessage({ message, details = [] }: DomainError): string {
  if (details.length === 0) return message;
  return details.map((detail) => `The ${detail.path || 'request'} ${detail.message}.`).join(' ');
}

/** Checks `@Body({ schema })`, `@Query({ schema })` and `@Param(name, { schema })` against their schemas. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StrictValidationPipe({
    exceptionFactory: (issues) => validationFailed(detailsOf(issues)),
  });
}

/**
 * Nest would take `__proto__`, `constructor` and `prototype` out of a body without a word, and go on with the rest.
 * Here a body with `__proto__` is refused, since nobody sends it in good faith; the other two are names like any other,
 * which a strict schema refuses, and which may stand in a map.
 */
class StrictValidationPipe extends StandardSchemaValidationPipe {
  protected override stripProtoKeys(value: unknown): void {
    if (hasProtoKey(value)) {
      throw validationFailed([{ path: '__proto__', message: 'is not a known field' }]);
    }
  }
}

/** With a stack of its own: what is nested deeper than the call stack must not end in a RangeError. */
function hasProtoKey(value: unknown): boolean {
  const stack = [value];
  while (stack.length > 0) {
    const current = stack.pop();
    if (typeof current !== 'object' || current === null) continue;
    if (Object.hasOwn(current, '__proto__')) return true;
    stack.push(...Object.values(current));
  }
  return false;
}
