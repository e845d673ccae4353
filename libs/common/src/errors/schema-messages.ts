import { config, type core } from 'zod';

/**
 * What zod says of a fault where the schema has no words of its own, as what follows the name of the field: `is
 * required`. Undefined leaves it to zod.
 */
function schemaMessage(issue: core.$ZodRawIssue): string | undefined {
  const { code } = issue;
  if (code === 'invalid_type' || code === 'invalid_union' || code === 'invalid_value') {
    if (issue.input === undefined) return 'is required';
  }
  if (code === 'invalid_value') {
    return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
  }
  if (code === 'too_small' && issue.origin === 'number' && issue.inclusive) {
    return `must be ${issue.minimum} at the least`;
  }
  if (code === 'too_big' && issue.origin === 'number' && issue.inclusive) {
    return `must be ${issue.maximum} at the most`;
  }
  return undefined;
}

config({ customError: schemaMessage });
