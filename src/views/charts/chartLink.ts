/**
 * A link to a view of the charts as text: `…/open?view=…`. Pure. What comes from outside is taken only in this
 * form: absolute paths, at most six, 32 KB in all, and a view that the page checks again.
 * Leaves out opening it, which asks the user first (openLink.ts).
 */
import path from 'node:path';

/** What a link names. */
export interface ChartLink {
  /** Absolute paths of runs. */
  readonly paths: readonly string[];
  /** The page's view, JSON as text. */
  readonly view: string;
}

/** The path of the link's address; any other is not ours. */
export const linkPath = '/open';

const mostPaths = 6;
const mostCharacters = 32_000;

/** The query of a link: one word, since VS Code hands the query over decoded, in which paths could not be told apart. */
export function linkQuery(link: ChartLink): string {
  return `view=${Buffer.from(JSON.stringify(link), 'utf8').toString('base64url')}`;
}

/** What a query names; null if it is not of this form. */
export function readLinkQuery(query: string): ChartLink | null {
  const word = /^view=([\w-]+)$/.exec(query)?.[1];
  if (word === undefined || word.length > mostCharacters) return null;
  const { paths, view } = recordOf(parsed(Buffer.from(word, 'base64url').toString('utf8')));
  if (typeof view !== 'string' || !Array.isArray(paths) || paths.length === 0 || paths.length > mostPaths) return null;
  const named = paths.filter((one): one is string => typeof one === 'string');
  const fit = named.length === paths.length && named.every((one) => path.isAbsolute(one) && !one.includes('\0'));
  return fit ? { paths: [...new Set(named)], view } : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
