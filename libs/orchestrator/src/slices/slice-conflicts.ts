import { OrchestratorError, validationFailed } from '#common';
import { isForeignKeyViolation, isUniqueViolation } from '#database';

/** Says in words what a constraint refused; any other error is handed back as it is. */
export function conflictOf(
  error: unknown,
  request: { name?: string | undefined; owner?: string | null | undefined },
): unknown {
  if (isUniqueViolation(error, 'slice_live_name')) {
    return new OrchestratorError(
      'SLICE_NAME_TAKEN',
      `There is another slice named ${request.name ?? ''}. Choose another name.`,
    );
  }
  if (isUniqueViolation(error, 'slice_live_owner')) {
    return new OrchestratorError(
      'SLICE_IN_USE',
      'This owner has a slice already. Destroy or hand over that one first.',
    );
  }
  if (isForeignKeyViolation(error, 'slice_owner_id_fkey')) {
    return validationFailed([{ path: 'owner', message: 'is not the id of a user' }]);
  }
  return error;
}
