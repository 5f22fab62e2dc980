/**
 * What the rules ask of the calls of one rollout, worked out once and only when asked: equal arguments by meaning, what a
 * call changes, what it saw. Indexing asks for every rollout of a run, so nothing is parsed before cheap signs allow it.
 * Leaves out the rules themselves, and everything that needs siblings.
 */
import { isObject, type Json } from '../../base/json.ts';
import type { Call, Rollout } from '../../model/rollout.ts';
import { bareObservation, steadyObservation } from './observationText.ts';
import { canonicalPython, isIdempotent, isPlainArithmetic, parsePython, type PythonCode } from './pythonCode.ts';
import { codeOf, isCodeTool, isReadOnlyLine, isReadOnlyTool, shellLineOf } from './toolKinds.ts';

/** Answers about the calls (indexes) of one rollout. */
export interface CallFacts {
  readonly rollout: Rollout;
  /** Indexes of the calls that rules may judge: sent, and no submit, finish, think or hand-over. */
  readonly judged: readonly number[];
  /** Tool and all arguments, equal for calls that ask the same by meaning; null for a malformed call without a tool. */
  key(call: number): string | null;
  /** True where two calls have one key; much cheaper than two keys where they differ. */
  sameArguments(one: number, other: number): boolean;
  /** Judged calls with equal arguments, each series of two or more in order. */
  series(): readonly (readonly number[])[];
  /** The Python it runs, parsed; null where it runs none. */
  code(call: number): PythonCode | null;
  /** True where the call can be shown to change nothing that a later call could see. */
  onlyReads(call: number): boolean;
  /** True where every call between the two (exclusive) only reads. */
  nothingChangedBetween(earlier: number, later: number): boolean;
  /** The observation without its wrappers. */
  seen(call: number): string;
  /** The same without timings, ids, dates and paths. */
  seenSteady(call: number): string;
}

/** Facts about a rollout's calls; nothing is computed yet. */
export function callFacts(rollout: Rollout): CallFacts {
  const { calls } = rollout;
  const memo = <T>(make: (call: Call, index: number) => T): ((index: number) => T) => {
    const known: T[] = [];
    return (index) => {
      const hit = known[index];
      if (hit !== undefined) return hit;
      const call = calls[index];
      if (call === undefined) throw new RangeError(`no call ${index}`);
      const value = make(call, index);
      known[index] = value;
      return value;
    };
  };
  const code = memo((call) => {
    const text = codeOf(call.tool, call.arguments);
    return text === null ? null : parsePython(text);
  });
  const sign = memo(signOf);
  const written = memo(
    ({ tool, arguments: given, raw }) => `${tool ?? ''} ${given === null ? raw : JSON.stringify(given)}`,
  );
  const key = memo((call, index) => keyOf(call, isCodeTool(call.tool) ? code(index) : null));
  const onlyReads = memo((call, index) => {
    const line = shellLineOf(call.tool, call.arguments);
    if (line !== null) return isReadOnlyLine(line);
    if (!isCodeTool(call.tool)) return isReadOnlyTool(call.tool);
    // Parsing is dear, and the plainest code needs none.
    if (isPlainArithmetic(codeOf(call.tool, call.arguments) ?? '?')) return true;
    const parsed = code(index);
    return parsed !== null && isIdempotent(parsed);
  });
  const judged = calls.flatMap((call, index) => (call.sent && !call.control ? [index] : []));
  /** The equal ones among calls with one sign; those written alike need no parsing. */
  const equalIn = (list: readonly number[]): readonly (readonly number[])[] => {
    const [first] = list.map(written);
    const alike = first !== undefined && list.every((call) => written(call) === first);
    return alike ? [list] : repeated([list], key);
  };
  let series: readonly (readonly number[])[] | null = null;
  /** Call → the first call from which on nothing up to it is known to have changed anything. */
  const readSince = new Map<number, number>();
  return {
    rollout,
    judged,
    key,
    sameArguments: (one, other) => {
      const wanted = sign(one);
      return wanted !== '' && wanted === sign(other) && key(one) !== null && key(one) === key(other);
    },
    series: () => (series ??= judged.length < 2 ? [] : repeated([judged], sign).flatMap(equalIn)),
    code,
    onlyReads,
    nothingChangedBetween: (earlier, later) => {
      let between = later - 1;
      while (between > earlier) {
        const known = readSince.get(between);
        if (known === undefined) {
          if (calls[between]?.sent === true && calls[between]?.control === false && !onlyReads(between)) return false;
        }
        between = (known ?? between) - 1;
      }
      // Asked for every pair of a rollout: what is known of a stretch is not looked at again.
      if (later - 1 > earlier) readSince.set(later - 1, between + 1);
      return true;
    },
    seen: memo((call) => bareObservation(call.observation)),
    seenSteady: memo((call) => steadyObservation(call.observation)),
  };
}

/** Splits lists of calls by a name, keeping what has the same one and is not alone; '' and null are no name. */
function repeated(
  lists: readonly (readonly number[])[],
  name: (call: number) => string | null,
): readonly (readonly number[])[] {
  return lists.flatMap((list) => {
    const byName = new Map<string, number[]>();
    for (const call of list) {
      const known = name(call) ?? '';
      if (known === '') continue;
      const members = byName.get(known);
      if (members) members.push(call);
      else byName.set(known, [call]);
    }
    return [...byName.values()].filter((members) => members.length > 1);
  });
}

/** Letters and digits without comments: calls with other signs cannot have one key. '' where nothing can be said. */
function signOf(call: Call): string {
  const code = codeOf(call.tool, call.arguments);
  if (code !== null) return `${call.tool ?? ''} ${codeSign(code)}`;
  if (call.arguments === null && call.raw === '') return '';
  return `${call.tool ?? ''} ${call.arguments === null ? call.raw.replaceAll(/\s+/gu, '') : argumentSize(call.arguments)}`;
}

/** A number and a hash of the letters, digits and names outside comments: equal for code that differs in its spacing only. */
function codeSign(code: string): string {
  let hash = 0x811c9dc5;
  let letters = 0;
  let inComment = false;
  for (let at = 0; at < code.length; at += 1) {
    const unit = code.charCodeAt(at);
    if (unit === newline) inComment = false;
    else if (unit === numberSign) inComment = true;
    if (inComment) continue;
    const isDigit = unit >= 0x30 && unit <= 0x39;
    const isLetter = (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a) || unit === 0x5f || unit > 0xbf;
    if (!isDigit && !isLetter) continue;
    hash = Math.imul(hash ^ unit, 0x01000193);
    letters += 1;
  }
  return `${letters} ${hash}`;
}

const newline = 0x0a;
const numberSign = 0x23;

/** A number of leaves and characters: equal for equal JSON whatever the order of its keys. */
function argumentSize(value: Json): string {
  let leaves = 0;
  let characters = 0;
  const waiting: Json[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) waiting.push(...(next as readonly Json[]));
    else if (isObject(next)) for (const name in next) waiting.push(name, next[name] ?? null);
    else {
      leaves += 1;
      characters += typeof next === 'string' ? next.replaceAll(/\s+/gu, '').length : String(next).length;
    }
  }
  return `${leaves} ${characters}`;
}

function keyOf(call: Call, code: PythonCode | null): string | null {
  if (call.tool === null)
    return call.raw.trim() === '' ? null : `malformed ${call.raw.replaceAll(/\s+/gu, ' ').trim()}`;
  if (code !== null) {
    const rest = isObject(call.arguments) ? { ...call.arguments, ...codeFieldsRemoved } : null;
    const text = code.valid ? canonicalPython(code) : code.text.replaceAll(/\s+/gu, ' ').trim();
    return `${call.tool} ${text} ${canonicalJson(rest)}`;
  }
  if (call.arguments === null) return `${call.tool} ${call.raw.replaceAll(/\s+/gu, ' ').trim()}`;
  return `${call.tool} ${canonicalJson(call.arguments)}`;
}

/** The code itself is compared by its tokens, not as an argument. */
const codeFieldsRemoved = { code: null, script: null, source: null, python: null, input: null, cell: null };

/** JSON with its keys in order and white space inside strings folded, so that equal arguments are equal texts. */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value.replaceAll(/\s+/gu, ' ').trim());
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`).join(',')}}`;
}
