import type { Report } from '$lib/backend/types';

/** Anything that was thrown, as something that can be shown. */
export function asReport(thrown: unknown): Report {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
    return thrown as Report;
  }
  return {
    code: 'internal',
    message: 'The window and Towline did not understand each other.',
    hint: 'Try again. If it happens again, copy the report under Diagnostics.',
    detail: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  };
}
