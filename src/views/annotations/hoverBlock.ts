/**
 * What a hover is made of: blocks of our own words, of log text (never Markdown), or of links to commands of ours.
 * Leaves out what is said (hoverText.ts, flagText.ts) and Markdown (markdown.ts).
 */
import type { NamedValue } from '../../model/rollout.ts';

/** A link that runs a command of ours with one argument. */
export interface HoverLink {
  readonly text: string;
  readonly command: string;
  readonly argument: object;
}

/**
 * One block of a hover. `own`: a sentence of ours; `log`: text of a log on one line; `code`: lines that keep columns;
 * `link`: one link; `links`: several on one line behind a few words.
 */
export type HoverBlock =
  | { readonly kind: 'own' | 'log' | 'code'; readonly text: string }
  | ({ readonly kind: 'link' } & HoverLink)
  | { readonly kind: 'links'; readonly text: string; readonly links: readonly HoverLink[] };

/** "name: value" a line, for a block of code. */
export function namedValueLines(values: readonly NamedValue[]): readonly string[] {
  return values.map(({ name, value }) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
}
