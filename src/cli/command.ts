/**
 * What a command of the command line is, and how it prints: results on stdout, problems on stderr.
 * Owned by cli.ts, whose table lists the commands (one file each in this folder). Leaves out opening runs (openLogs.ts).
 */
import { messageOf, UserError } from '../base/errors.ts';
import { visibleText } from '../transcript/visibleText.ts';

/** Arguments of one command after parsing. */
export interface Arguments {
  readonly paths: readonly string[];
  /** Value of an option, null where it is not given. */
  option(name: string): string | null;
  readonly json: boolean;
  /** Whether one of the command's flags is given. */
  flag(name: string): boolean;
}

/** One command: a row of the table in cli.ts. */
export interface Command {
  readonly usage: string;
  readonly sentence: string;
  /** Options that take a value, with what it is. */
  readonly options: Readonly<Record<string, string>>;
  /** Options without a value, with what they do; none by default. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Whether `--json` exists. */
  readonly json: boolean;
  /** Resolves to true if all input was readable. */
  readonly run: (given: Arguments) => Promise<boolean>;
  readonly more?: () => string;
}

/** Bad usage: one sentence; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Options of every command that opens a run. */
export const sharedOptions = {
  index: 'DIR   folder of the index (default: the user’s cache)',
  mapping: 'FILE  which field of a home-made log means what, as "Export…" of "Map Fields…" writes it',
  threshold: 'N     reward above which a rollout counts as right where the log does not say (default 0.5)',
};

/** Prints a text with a line end; resolves when it is handed over, so that a slow reader slows us down. */
export function print(text: string): Promise<void> {
  return new Promise((done) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => {
      done();
    });
  });
}

/** Prints one JSON value on a line. */
export function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value));
}

/** Prints a problem; control characters of logs and file names are shown, so that they cannot drive a terminal. */
export function problem(text: string): void {
  process.stderr.write(`${visibleText(text.replaceAll('\r', '␍'))}\n`);
}

/** What a person reads of an error. */
export function sentenceOf(error: unknown): string {
  return error instanceof UserError && error.action !== null ? `${error.message} ${error.action}` : messageOf(error);
}
