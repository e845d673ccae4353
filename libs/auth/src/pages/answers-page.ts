import { applyDecorators, Header } from '@nestjs/common';
import { ApiResponse, type ErrorCode, statusOf } from '#common';
import { PAGE_POLICY, PAGE_TYPE } from './page.js';

const HTML_CONTENT = { 'text/html': { schema: { type: 'string' } } };

/** Declares that a handler answers a page, and which errors, each with the status it has everywhere and as a page too. */
export function AnswersPage(description: string, ...errors: readonly ErrorCode[]): MethodDecorator {
  const faults = [...Map.groupBy(errors, statusOf)].map(([status, codes]) =>
    ApiResponse({ status, description: codes.toSorted().join(', '), content: HTML_CONTENT }),
  );
  return applyDecorators(
    Header('Content-Type', PAGE_TYPE),
    Header('Content-Security-Policy', PAGE_POLICY),
    ApiResponse({ status: 200, description, content: HTML_CONTENT }),
    ...faults,
  );
}
