/**
 * The arguments of a call as lines: code as code with real line breaks, everything else as JSON.
 * Leaves out indentation (the caller's) and the meaning of any particular tool.
 */
import { isObject, type Json } from '../base/json.ts';
import type { Call } from '../model/rollout.ts';
import { transcriptTexts } from '../protocol/texts.ts';
import { trimmedLines, visibleLines } from './visibleText.ts';

/** Names under which tools take a program. */
const codeNames = new Set(['code', 'script', 'command', 'cmd', 'source', 'program', 'python', 'bash', 'sql']);

/** JSON up to this many characters stays on one line. */
const compactLength = 100;

/** The lines that show a call's arguments; never empty. */
export function argumentLines(call: Pick<Call, 'arguments' | 'raw'>): readonly string[] {
  const value = call.arguments;
  if (value === null) return call.raw.trim() === '' ? [transcriptTexts.noArguments] : trimmedLines(call.raw);
  if (typeof value === 'string') return trimmedLines(value);
  try {
    return isObject(value) ? objectLines(Object.entries(value)) : jsonLines(value);
  } catch {
    // JSON nested deeper than the stack: what the policy wrote is still readable.
    return trimmedLines(call.raw);
  }
}

function objectLines(entries: readonly (readonly [string, Json | undefined])[]): readonly string[] {
  if (entries.length === 0) return [transcriptTexts.noArguments];
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only && isCode(only)) return trimmedLines(String(only[1]));
  if (!entries.some(isCode)) return jsonLines(Object.fromEntries(entries));
  const lines: string[] = [];
  for (const entry of entries) {
    const [name, value] = entry;
    const label = JSON.stringify(name).slice(1, -1);
    if (isCode(entry)) {
      lines.push(...visibleLines(`${label}:`));
      for (const line of trimmedLines(String(value))) lines.push(`  ${line}`);
    } else {
      const [first = '', ...further] = jsonLines(value ?? null);
      lines.push(...visibleLines(`${label}: ${first}`));
      for (const line of further) lines.push(line);
    }
  }
  return lines;
}

function isCode([name, value]: readonly [string, Json | undefined]): boolean {
  return typeof value === 'string' && (codeNames.has(name.toLowerCase()) || /[\r\n]/.test(value));
}

function jsonLines(value: Json): readonly string[] {
  const compact = JSON.stringify(value);
  return visibleLines(compact.length <= compactLength ? spaced(value, compact) : JSON.stringify(value, null, 2));
}

/** One-line JSON of an object with spaces behind names and commas, as people write it. */
function spaced(value: Json, compact: string): string {
  if (!isObject(value)) return compact;
  const parts = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${JSON.stringify(item)}`);
  return `{${parts.join(', ')}}`;
}
