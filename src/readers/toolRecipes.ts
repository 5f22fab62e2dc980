/**
 * Tags that RL recipes execute although no chat template knows them (`<search>`, `<code>`, ```python), and the wrappers
 * their tool servers put around what came back (formats.md 1.3 and 2.2). Such a tag is a call only where it was
 * executed, which toolCalls.ts and chatEpisode.ts find out. A new recipe or wrapper is one line in a table here.
 */
import type { WrittenCall } from './toolCallDialects.ts';

/** One tag or fence. */
export interface Recipe {
  readonly open: string;
  readonly close: string;
  readonly parse: (body: string) => WrittenCall;
}

/** What a tool server puts around an observation that stands in the text without a turn of its own. */
export interface Wrapper {
  readonly open: string;
  readonly close: string;
}

const recipe = (open: string, close: string, [tool, argument]: readonly [string, string]): Recipe => ({
  open,
  close,
  parse: (body) => ({ tool, arguments: { [argument]: body.trim() }, malformed: false }),
});

/** Tags and fences that are calls where they were executed (Search-R1, ReTool, ToRL, verl-tool). */
export const recipes: readonly Recipe[] = [
  recipe('<search>', '</search>', ['search', 'query']),
  recipe('<code>', '</code>', ['python', 'code']),
  recipe('<python>', '</python>', ['python', 'code']),
  recipe('<bash>', '</bash>', ['bash', 'command']),
  recipe('<sql>', '</sql>', ['sql', 'query']),
  recipe('```python\n', '\n```', ['python', 'code']),
  recipe('```py\n', '\n```', ['python', 'code']),
  recipe('```bash\n', '\n```', ['bash', 'command']),
];

const wrappers: readonly Wrapper[] = [
  { open: '<tool_response>', close: '</tool_response>' },
  { open: '<information>', close: '</information>' },
  { open: '<result>', close: '</result>' },
  { open: '<output>', close: '</output>' },
  { open: '<interpreter>', close: '</interpreter>' },
  { open: '```output', close: '\n```' },
  { open: '<|start|>functions.', close: '<|end|>' },
];

/** The wrapper that opens at `at` or behind the blanks there, null where none does. */
export function wrapperAt(text: string, at: number): { wrapper: Wrapper; first: number } | null {
  let first = at;
  while (first < text.length && ' \n\r\t'.includes(text.charAt(first))) first++;
  const wrapper = wrappers.find((candidate) => text.startsWith(candidate.open, first));
  return wrapper === undefined ? null : { wrapper, first };
}

/**
 * The element or fence a text ends in, whatever its name, as a call of that name; null where it ends in none.
 * For turns of which the log says that they were executed.
 */
export function recipeCallAt(text: string): { call: WrittenCall; raw: string } | null {
  const action = text.trimEnd();
  const known = recipes.find((candidate) => action.endsWith(candidate.close) && action.includes(candidate.open));
  const name = /<\/([\w:.-]{1,60})>$/.exec(action.slice(-64))?.[1];
  if (known === undefined && name === undefined) return null;
  const open = known?.open ?? `<${name ?? ''}>`;
  const close = known?.close ?? `</${name ?? ''}>`;
  const last = action.length - close.length;
  const first = action.lastIndexOf(open, last);
  if (first === -1) return null;
  const body = action.slice(first + open.length, Math.max(first + open.length, last));
  const call = known?.parse(body) ?? { tool: name ?? null, arguments: { text: body.trim() }, malformed: false };
  return { call, raw: action.slice(first) };
}
