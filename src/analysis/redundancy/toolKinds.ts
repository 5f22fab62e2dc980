/**
 * What is known of a tool by its name: whether it only reads, runs code, searches, or shows a picture. The one place where
 * tool names stand; an unknown tool counts as changing state, so that nothing is claimed across it (hdpo.md section 3).
 * Leaves out what a call does by its arguments (callFacts.ts).
 */
import { asString, isObject, type Json } from '../../base/json.ts';

const codeTools =
  /^(python|ipython|jupyter|code|run_code|execute_code|code_interpreter|(?:execute|run)_(?:ipython|python)(?:_cell|_code)?|python_(?:executor|interpreter|tool|exec)|ipython_cell)$/iu;
const shellTools =
  /^(bash|shell|sh|terminal|execute_bash|run_bash|run_shell|run_command|execute_command|bash_tool|cmd)$/iu;
const searchTools = /(?:^|_)(?:search|google|bing|duckduckgo|serp)(?:_|$)|^(?:web|text|image|wiki|kb|local)_?search/iu;
const readers =
  /^(?:get|list|find|search|read|view|show|open|lookup|look_up|fetch|query|calculate|check|describe|count|cat|grep|ls|find_file|goto|visit|browse|retrieve|image_zoom|zoom|crop)(?:_|$|[A-Z])/u;
/** Names that begin as if they read, but act; those that move on give something else each time (`find_next`, `get_next_page`). */
const actors =
  /(?:_and_|book|cancel|update|delete|remove|create|send|pay|refund|exchange|return_|modify|write|edit|submit|transfer|(?:^|_)(?:next|prev|previous|down|up)(?:_|$))/iu;

/** Whether names match, remembered: a run has a handful of tools and asks for every call. Bounded, since a log may name any. */
function remembered(pattern: RegExp): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const hit = known.get(name);
    if (hit !== undefined) return hit;
    const found = pattern.test(name);
    if (known.size < 1_000 && name.length < 100) known.set(name, found);
    return found;
  };
}

const runsCode = remembered(codeTools);
const runsShell = remembered(shellTools);
const searches = remembered(searchTools);

/** True for tools that run Python. */
export function isCodeTool(tool: string | null): boolean {
  return tool !== null && runsCode(tool);
}

/** True for tools that run a shell line. */
export function isShellTool(tool: string | null): boolean {
  return tool !== null && runsShell(tool);
}

/** True for tools that answer a query with results. */
export function isSearchTool(tool: string | null): boolean {
  return tool !== null && searches(tool);
}

/** True for tools whose name says that they only read. */
export function isReadOnlyTool(tool: string | null): boolean {
  if (tool === null) return false;
  return isSearchTool(tool) || (readers.test(tool) && !actors.test(tool));
}

/** The Python that a call runs; null where it runs none. */
export function codeOf(tool: string | null, given: Json): string | null {
  if (!isCodeTool(tool)) return null;
  return textArgument(given, ['code', 'script', 'source', 'python', 'input', 'cell']);
}

/** The shell line that a call runs; null where it runs none. */
export function shellLineOf(tool: string | null, given: Json): string | null {
  if (!isShellTool(tool)) return null;
  return textArgument(given, ['command', 'cmd', 'input', 'code', 'script']);
}

function textArgument(given: Json, names: readonly string[]): string | null {
  const text = asString(given);
  if (text !== null) return text;
  if (!isObject(given)) return null;
  for (const name of names) {
    const value = asString(given[name]);
    if (value !== null) return value;
  }
  return null;
}

const readOnlyCommands = new Set(
  'ls cat head tail grep egrep fgrep rg find wc pwd echo which file stat du df tree sort uniq cut tr nl less more diff'.split(
    ' ',
  ),
);
const testCommands =
  /\b(pytest|unittest|tox|nose2?|jest|vitest|mocha|ctest|(?:npm|yarn|pnpm|cargo|go|make|mvn|gradle)\s+(?:run\s+)?(?:test|bench|check))\b|\btimeit\b|\bbenchmark/u;

/** True where every command of a shell line only reads, and nothing is written to a file. */
export function isReadOnlyLine(line: string): boolean {
  if (/[<>`]|\$\(|\bsudo\b|-delete\b|-exec\b|\bsed\s+-i/u.test(line.replaceAll(/2>&1|2>\s*\/dev\/null/gu, '')))
    return false;
  const commands = line.split(/\|\||&&|[|;\n]/u).map((part) => part.trim());
  return commands.every((command) => {
    const word = /^(?:cd\s+\S+|git\s+(?:status|log|diff|show|blame|branch)\b|sed\s+-n\b|\S+)/u.exec(command)?.[0] ?? '';
    return command === '' || /^(?:cd|git|sed -n)\b/u.test(word) || readOnlyCommands.has(word);
  });
}

/** True for a run of tests or a benchmark: people repeat those on purpose, to see whether they are steady. */
export function isTestRun(text: string): boolean {
  return testCommands.test(text);
}
