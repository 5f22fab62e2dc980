/**
 * The one error a user may see as a sentence. Anything else that is thrown is a bug: logged with its stack.
 * Bad content of a log is neither: it is a Note (model/note.ts).
 */

/** Something the user can act on: a sentence with the file in it, and optionally what to do next. */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    message: string,
    /** The next action, a sentence ("Check that the file is readable."). */
    readonly action: string | null = null,
  ) {
    super(message);
  }
}

/** The message of anything that was thrown, for a log line or a note. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Thrown by `signal.throwIfAborted()` and by cancelled calls: not a failure, nothing to show. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
