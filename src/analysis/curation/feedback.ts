/**
 * Feedback that cannot have come from the call: what one rollout alone proves, and the names and modules for which the
 * rest of the run has to be asked (names.ts). Static: Python is parsed, never run. Source: hdpo.md section 4.
 * Leaves out what a sandbox could show, and tools that run no Python beyond what their results quote of the arguments.
 */
import { isObject, type Json } from '../../base/json.ts';
import type { Call, Rollout } from '../../model/rollout.ts';
import { bareObservation, isTruncated } from '../redundancy/observationText.ts';
import { parsePython, type PythonCode } from '../redundancy/pythonCode.ts';
import { codeOf, isSearchTool } from '../redundancy/toolKinds.ts';
import { fixedOutput } from './fixedOutput.ts';
import { isPrelude } from './pythonPrelude.ts';
import { pythonNames } from './pythonNames.ts';

/** What is wrong with the feedback of a call. */
export type FeedbackFault = 'does not parse' | 'undefined name' | 'forbidden import' | 'contradiction' | 'no call';

/** One proven fault; indexes into the rollout, `call` null where a turn is the evidence. */
export interface FoundFault {
  readonly fault: FeedbackFault;
  readonly call: number | null;
  readonly turn: number;
  /** The sentence behind it: what cannot be. */
  readonly sentence: string;
}

/** What a rollout says by itself. */
export interface Feedback {
  readonly faults: readonly FoundFault[];
  /** Python calls that were looked at, and calls of other tools. */
  readonly pythonCalls: number;
  readonly otherCalls: number;
  /** Names that are bound nowhere and were read by a call with a correct output. */
  readonly undefinedNames: readonly NameInCall[];
  /** Modules that were imported by a call with a correct output. */
  readonly imports: readonly NameInCall[];
  /** Names that Python itself said are not defined, and modules that it refused or did not find. */
  readonly refusedNames: readonly string[];
  readonly refusedModules: readonly string[];
}

/** A name and the call it stands in. */
export interface NameInCall {
  readonly name: string;
  readonly call: number;
}

const failureText =
  /Traceback \(most recent call last\)|^[ \t]*(?:[A-Za-z_.]*(?:Error|Exception))\b[ \t]*(?::|$)|(?:Syntax|Indentation|Name|Import|ModuleNotFound)Error/mu;

/** True where the log gives the output of a call as a correct one. */
export function saysItWorked(call: Call): boolean {
  if (!call.sent || call.control) return false;
  if (call.outcome !== 'ok' && call.outcome !== 'unknown') return false;
  if (call.outcome === 'unknown' && call.observation.trim() === '') return false;
  return !failureText.test(call.observation);
}

/** Everything the rollout proves, in call order. */
export function feedbackOf(rollout: Rollout): Feedback {
  const faults: FoundFault[] = [];
  const undefinedNames: NameInCall[] = [];
  const imports: NameInCall[] = [];
  const refusedNames: string[] = [];
  const refusedModules: string[] = [];
  const boundBefore = new Set<string>();
  let anythingBefore = false;
  let pythonCalls = 0;
  let otherCalls = 0;
  rollout.calls.forEach((call, index) => {
    if (!call.sent) {
      if (call.observation.trim() !== '') faults.push(neverSent(call, index));
      return;
    }
    if (call.control) return;
    const text = codeOf(call.tool, call.arguments);
    const worked = saysItWorked(call);
    if (text === null) {
      otherCalls += 1;
      const sentence = worked ? contradiction(call) : null;
      if (sentence !== null) faults.push({ fault: 'contradiction', call: index, turn: call.turn, sentence });
      return;
    }
    pythonCalls += 1;
    refusedNames.push(...namesIn(call.observation, notDefined));
    refusedModules.push(...namesIn(call.observation, notImported));
    const code = text.length > longestCode ? null : parsePython(bareCode(text));
    if (code === null) {
      anythingBefore = true;
      return;
    }
    const unparsed = worked ? cannotParse(code) : null;
    if (unparsed !== null) {
      faults.push({ fault: 'does not parse', call: index, turn: call.turn, sentence: unparsed });
    }
    const names = pythonNames(code);
    if (worked && code.valid) {
      for (const name of names.imported) imports.push({ name, call: index });
      if (!names.open && !anythingBefore) {
        for (const name of names.read) {
          if (names.bound.has(name) || boundBefore.has(name) || isPrelude(name)) continue;
          undefinedNames.push({ name, call: index });
        }
      }
      const missing = missingOutput(code, call);
      if (missing !== null) {
        faults.push({ fault: 'contradiction', call: index, turn: call.turn, sentence: missing });
      }
    }
    anythingBefore ||= names.open;
    for (const name of names.bound) boundBefore.add(name);
  });
  faults.push(...resultsWithoutCall(rollout));
  return { faults, pythonCalls, otherCalls, undefinedNames, imports, refusedNames, refusedModules };
}

const notDefined = /name '(\w+)' is not defined/gu;
const notImported =
  /No module named '?([A-Za-z_]\w*)|(?:import of|importing|module) ['"`]?([A-Za-z_]\w*)['"`]? (?:is )?(?:not allowed|forbidden|disallowed|blocked|prohibited)/giu;

function namesIn(text: string, pattern: RegExp): readonly string[] {
  if (!/not defined|module|import/iu.test(text)) return [];
  return [...text.matchAll(pattern)].map(([, one, other]) => one ?? other ?? '').filter((name) => name !== '');
}

/** Longer code is not looked at, as in the redundancy rules. */
const longestCode = 100_000;

/** The code without a Markdown fence around it and without the indentation that all its lines share. */
function bareCode(text: string): string {
  const fenced = /^\s*```[a-zA-Z]*\n([\s\S]*?)\n?```\s*$/u.exec(text)?.[1] ?? text;
  const lines = fenced.split('\n');
  const written = lines.filter((line) => line.trim() !== '');
  const shared = written.reduce((least, line) => Math.min(least, line.length - line.trimStart().length), longestCode);
  return shared > 0 && written.length > 0 ? lines.map((line) => line.slice(shared)).join('\n') : fenced;
}

/** Syntax that the parser does not know although Python does, and notebook syntax: nothing is claimed of it. */
const beyondParser = /^[ \t]*[!%?$]|\?[ \t]*$|\bas[ \t]*\(|\bexcept[ \t]*\*/mu;

function cannotParse({ tree, text, valid }: PythonCode): string | null {
  if (text.trim() === '' || beyondParser.test(text)) return null;
  const at = valid ? pythonTwoPrint(tree, text) : firstError(tree);
  if (at === null) return null;
  const line = text.slice(0, at).split('\n').length;
  const written = (text.split('\n')[line - 1] ?? '').trim();
  return `its code does not parse (line ${line}: ${quoted(written)}), yet its output is given as correct`;
}

type Tree = PythonCode['tree'];

function firstError(tree: Tree): number | null {
  let at: number | null = null;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) at ??= node.from;
      return at === null;
    },
  });
  return at;
}

/** `print "x"` parses here, but no Python 3 runs it. */
function pythonTwoPrint(tree: Tree, text: string): number | null {
  let at: number | null = null;
  tree.iterate({
    enter: (node) => {
      if (node.name === 'PrintStatement' && /^print\s+[^\s(>=]/u.test(text.slice(node.from, node.to))) at ??= node.from;
      return at === null;
    },
  });
  return at;
}

/** What must have been printed and was not. */
function missingOutput(code: PythonCode, call: Call): string | null {
  if (isTruncated(call.observation)) return null;
  const seen = folded(bareObservation(call.observation));
  if (seen === '') return null;
  const printed = fixedOutput(code);
  const missing = printed?.map(folded).find((line) => line !== '' && !seen.includes(line));
  return missing === undefined
    ? null
    : `its code must print ${quoted(missing)}, yet its output is ${quoted(folded(bareObservation(call.observation)))}`;
}

function folded(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

function quoted(text: string): string {
  const line = folded(text);
  return `“${line.length > 80 ? `${line.slice(0, 79)}…` : line}”`;
}

/** Quoted queries in the first lines of a search's result. */
const quotedQuery =
  /\b(?:search(?:es|ed)?|results?|query)\b[^\n'"“”‘’]{0,40}\b(?:for|is|was)?:?\s*['"“‘]([^'"“”\n]{3,200})['"”’]/giu;

/** What a result quotes of other arguments than the call had. */
function contradiction(call: Call): string | null {
  const given = call.arguments;
  if (!isObject(given)) return null;
  if (isSearchTool(call.tool)) {
    const asked = textsIn(given);
    const head = call.observation.slice(0, 1_000);
    const answered = [...head.matchAll(quotedQuery)].map(([, query]) => query ?? '');
    const first = answered[0];
    if (first !== undefined && asked.length > 0 && answered.every((query) => !asked.some((one) => alike(one, query)))) {
      return `its result answers ${quoted(first)}, but the call asked for ${quoted(asked.join(' | '))}`;
    }
  }
  const result = jsonObject(call.observation);
  if (result === null) return null;
  for (const [name, value] of Object.entries(given)) {
    const echoed = result[name];
    if (!isIdentifier(name) || typeof value !== typeof echoed) continue;
    const [one, other] = [scalar(value), scalar(echoed)];
    if (one === null || other === null || one === '' || other === '' || alike(one, other)) continue;
    return `its result is about ${name} ${quoted(other)}, but the call asked for ${quoted(one)}`;
  }
  return null;
}

/** Names of arguments that say which thing is meant; limits, pages and formats may come back as the tool adjusted them. */
function isIdentifier(name: string): boolean {
  return /(?:^|_)(?:id|ids|name|code|number|email|user|order|reservation|flight|item|product|city|country|symbol|ticker|origin|destination)$/iu.test(
    name,
  );
}

function scalar(value: Json | undefined): string | null {
  return typeof value === 'string' || typeof value === 'number' ? folded(String(value)).toLowerCase() : null;
}

function textsIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [value];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** Equal, one inside the other, or with most words shared: then they may well be about one thing. */
function alike(one: string, other: string): boolean {
  const [a, b] = [folded(one).toLowerCase(), folded(other).toLowerCase()];
  if (a.includes(b) || b.includes(a)) return true;
  const [first, second] = [wordsOf(a), wordsOf(b)];
  if (first.size === 0 || second.size === 0) return true;
  let shared = 0;
  for (const word of first) if (second.has(word)) shared += 1;
  return shared * 2 >= Math.min(first.size, second.size);
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/[\p{L}\p{N}]+/gu) ?? []);
}

const longestJson = 100_000;

function jsonObject(text: string): Readonly<Record<string, Json | undefined>> | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || trimmed.length > longestJson) return null;
  try {
    const value: unknown = JSON.parse(trimmed);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function neverSent(call: Call, index: number): FoundFault {
  const sentence = `it was cut before it was sent, yet it has a result: ${quoted(call.observation)}`;
  return { fault: 'no call', call: index, turn: call.turn, sentence };
}

const toolRoles = /^(?:tool|function|ipython|tool_response|tool_result)$/iu;

/**
 * Results of tools behind the prompt that answer no call at all. Turns of sub-agents have calls of their own elsewhere,
 * environments speak without being called, and a simulated user may call tools too.
 */
function resultsWithoutCall({ turns }: Rollout): readonly FoundFault[] {
  return turns.flatMap((turn, index) => {
    if (turn.role !== 'tool' || turn.prompt || turn.observes.length > 0 || turn.agent !== null) return [];
    const asker = turns.slice(0, index).findLast(({ role }) => role !== 'tool');
    if (!toolRoles.test(turn.loggedRole) || asker?.role !== 'policy') return [];
    const text = turn.parts.map((part) => ('text' in part ? part.text : '')).join(' ');
    if (text.trim() === '') return [];
    const sentence = `it is the result of a tool that was never called: ${quoted(text)}`;
    return [{ fault: 'no call' as const, call: null, turn: index, sentence }];
  });
}
