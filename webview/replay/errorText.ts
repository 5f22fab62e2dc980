/**
 * What went wrong as the page says it: a sentence and what to do, and of a bug its first line (the stack is in the log).
 * Leaves out where it is shown.
 */

/** One line of text for anything that was thrown. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const action = 'action' in error && typeof error.action === 'string' ? ` ${error.action}` : '';
  return `${error.message.split('\n', 1)[0] ?? ''}${action}`;
}
