/**
 * Rule `subsumed`: a range of a file or page that lies inside one read before.
 * Proves: the earlier read showed those lines, nothing that may have changed them ran since, and it was not cut.
 * Does not prove: that the earlier text was still in the model's context where the harness elides old observations
 * (an observation that says so is not counted). Source: hdpo.md section 3.
 */
import { asArray, asNumber, asString, isObject, type Json } from '../../base/json.ts';
import type { CallFacts } from './callFacts.ts';
import { isTruncated } from './observationText.ts';
import { buildFlag, type Rule } from './rule.ts';

const pathNames = ['path', 'file_path', 'file', 'filename', 'file_name', 'uri', 'url'] as const;
const reading = /^(?:read|view|open|show|cat|get_file|str_replace|fetch|visit|browse|file)/iu;

interface Range {
  readonly tool: string;
  readonly path: string;
  /** Lines (or pages), 1-based, inclusive; the whole file is 1 to Infinity. */
  readonly first: number;
  readonly last: number;
}

/** Flags, as likely, reads of a range that an earlier read of the same file contains. */
export const subsumed: Rule = {
  id: 'subsumed',
  hintsOnly: false,
  flag: (facts) => {
    if (facts.judged.length < 2) return [];
    const ranges = facts.judged.flatMap((call) => {
      const range = rangeOf(facts, call);
      return range === null ? [] : [{ call, range }];
    });
    return ranges.flatMap(({ call, range }, at) => {
      const wider = ranges.slice(0, at).findLast((earlier) => contains(facts, earlier, { call, range }));
      if (wider === undefined) return [];
      const lines = (given: Range): string => `${given.first}–${Number.isFinite(given.last) ? given.last : 'end'}`;
      const evidence = [
        { name: 'range', value: lines(range) },
        { name: 'inside', value: lines(wider.range) },
      ];
      return [buildFlag({ call, rule: 'subsumed', confidence: 'likely', refersTo: wider.call, evidence })];
    });
  },
};

interface Read {
  readonly call: number;
  readonly range: Range;
}

function contains(facts: CallFacts, earlier: Read, later: Read): boolean {
  const { range: wide, call } = earlier;
  const { range } = later;
  if (wide.path !== range.path || wide.tool !== range.tool || wide.first > range.first || wide.last < range.last)
    return false;
  // Equal ranges are the matter of `repeat`, which compares what came back.
  if (wide.first === range.first && wide.last === range.last) return false;
  const before = facts.rollout.calls[call];
  return before !== undefined && !isTruncated(before.observation) && facts.nothingChangedBetween(call, later.call);
}

function rangeOf({ rollout }: CallFacts, index: number): Range | null {
  const call = rollout.calls[index];
  if (!call || (call.outcome !== 'ok' && call.outcome !== 'unknown') || !isObject(call.arguments)) return null;
  const given = call.arguments;
  const action = asString(given['command']);
  if (call.tool === null || !reading.test(call.tool) || (action !== null && action !== 'view')) return null;
  const path = pathNames.map((name) => asString(given[name])).find((value) => value !== null) ?? null;
  const bounds = path === null ? null : boundsOf(given);
  return path === null || bounds === null ? null : { tool: call.tool, path, ...bounds };
}

function boundsOf(given: { readonly [name: string]: Json | undefined }): { first: number; last: number } | null {
  const number = (...names: readonly string[]): number | null =>
    names.map((name) => asNumber(given[name])).find((value) => value !== null) ?? null;
  const view = asArray(given['view_range'] ?? given['range'] ?? given['lines']).flatMap(
    (value) => asNumber(value) ?? [],
  );
  const [viewFirst, viewLast] = view;
  if (view.length === 2 && viewFirst !== undefined && viewLast !== undefined) {
    return { first: viewFirst, last: viewLast < 0 ? Infinity : viewLast };
  }
  const page = number('page', 'page_number');
  if (page !== null) return { first: page, last: page };
  const offset = number('offset');
  const limit = number('limit', 'num_lines', 'count');
  if (offset !== null || limit !== null) {
    const first = offset ?? 1;
    return { first, last: limit === null ? Infinity : first + limit - 1 };
  }
  const first = number('start_line', 'line_start', 'start', 'first_line', 'line_number');
  const last = number('end_line', 'line_end', 'end', 'last_line');
  return first === null && last === null ? { first: 1, last: Infinity } : { first: first ?? 1, last: last ?? Infinity };
}
