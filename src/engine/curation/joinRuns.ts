/**
 * Facts of several runs as those of one list: groups, prompts and sets of names get ordinals over all runs (a prompt is one,
 * whichever run asked it), rollouts whose record is gone are left out. Run after run, each by step, then file and row, and
 * prompts as they first appear in that order. One run in this order and without gone records is taken as it is.
 * Leaves out reading the runs (factsOfRun.ts).
 */
import type { PromptFacts, RolloutFacts } from '../../analysis/curation/facts.ts';
import { signatureBytes } from '../../analysis/curation/minHash.ts';
import { sameTruth } from '../../analysis/curation/answerMeaning.ts';
import { emptyRollouts, note, sameAnswer, type FactsOfRun } from './factsOfRun.ts';
import { nameSets } from './nameSets.ts';

/** Facts of all chosen runs. */
export interface JoinedFacts {
  readonly rollouts: RolloutFacts;
  readonly prompts: PromptFacts;
  readonly nameSets: readonly (readonly string[])[];
  /** Index of each rollout in the rows of its run. */
  readonly origin: Uint32Array;
  /** By run. */
  readonly firstSteps: readonly number[];
}

/** Joins runs in their order, the rollouts of each by step, file and row. */
export function joinRuns(runs: readonly FactsOfRun[]): JoinedFacts {
  const firstSteps = runs.map(({ rows }) =>
    rows.step.reduce((least, step) => Math.min(least, step), Number.MAX_SAFE_INTEGER),
  );
  const [only, ...others] = runs;
  if (only && others.length === 0 && only.gone === 0 && isAscending(only.rows.step)) {
    const origin = Uint32Array.from({ length: only.rows.count }, (_, index) => index);
    return { rollouts: only.rollouts, prompts: only.prompts, nameSets: only.nameSets, origin, firstSteps };
  }
  const places = runs.map(({ seen, rows }) => {
    const place: number[] = [];
    for (let row = 0; row < rows.count; row += 1) if (seen[row] === 1) place.push(row);
    // Rows of a run come by file and row.
    return place.sort((a, b) => (rows.step[a] ?? 0) - (rows.step[b] ?? 0) || a - b);
  });
  const origin = Uint32Array.from(places.flat());
  const prompts = joinPrompts(runs, places);
  const sets = nameSets();
  const setOf = runs.map((run) => Uint32Array.from(run.nameSets, (set) => sets.indexOf(set)));
  let groups = 0;
  const groupsBefore = runs.map(({ rows }) => {
    const before = groups;
    groups += rows.group.reduce((most, group) => Math.max(most, group + 1), 0);
    return before;
  });
  const rollouts = joinRollouts(runs, places, {
    group: (run, group) => (groupsBefore[run] ?? 0) + group,
    prompt: (run, prompt) => prompts.ordinal[run]?.[prompt] ?? 0,
    names: (run, set) => setOf[run]?.[set] ?? 0,
  });
  return { rollouts, prompts: prompts.facts, nameSets: sets.all(), origin, firstSteps };
}

function isAscending(steps: Int32Array): boolean {
  return steps.every((step, index) => index === 0 || (steps[index - 1] ?? step) <= step);
}

interface Ordinals {
  readonly group: (run: number, group: number) => number;
  readonly prompt: (run: number, prompt: number) => number;
  readonly names: (run: number, set: number) => number;
}

function joinRollouts(
  runs: readonly FactsOfRun[],
  places: readonly (readonly number[])[],
  ordinals: Ordinals,
): RolloutFacts {
  const count = places.reduce((sum, place) => sum + place.length, 0);
  const each = (
    into: (at: number, of: { readonly facts: RolloutFacts; readonly row: number; readonly run: number }) => void,
  ): void => {
    let at = 0;
    for (const [run, { rollouts: facts }] of runs.entries()) {
      for (const row of places[run] ?? []) {
        into(at, { facts, row, run });
        at += 1;
      }
    }
  };
  const joined = emptyRollouts(count);
  const plain = [
    'step',
    'correct',
    'calls',
    'failed',
    'unrecovered',
    'unknownOutcome',
    'characters',
    'sameAsk',
    'faults',
    'pythonCalls',
    'otherCalls',
  ] as const;
  each((at, { facts, row, run }) => {
    joined.run[at] = run;
    joined.group[at] = ordinals.group(run, facts.group[row] ?? 0);
    joined.prompt[at] = ordinals.prompt(run, facts.prompt[row] ?? 0);
    joined.undefinedNames[at] = ordinals.names(run, facts.undefinedNames[row] ?? 0);
    joined.imports[at] = ordinals.names(run, facts.imports[row] ?? 0);
    joined.content.set(facts.content.subarray(4 * row, 4 * row + 4), 4 * at);
    joined.signature.set(
      facts.signature.subarray(signatureBytes * row, signatureBytes * (row + 1)),
      signatureBytes * at,
    );
    for (const name of plain) joined[name][at] = facts[name][row] ?? 0;
  });
  return joined;
}

function joinPrompts(
  runs: readonly FactsOfRun[],
  places: readonly (readonly number[])[],
): { readonly facts: PromptFacts; readonly ordinal: readonly Uint32Array[] } {
  const most = runs.reduce((sum, { prompts }) => sum + prompts.count, 0);
  const known = new Map<number, number>();
  const from: { readonly run: number; readonly prompt: number }[] = [];
  const truths = new Map<number, string[]>();
  const answers = new Map<number, string[]>();
  const broken = new Map<number, string>();
  const hasTruth = new Uint8Array(most);
  const firstTruth: (readonly string[] | undefined)[] = [];
  const firstAnswer: (string | undefined)[] = [];
  const ordinal = runs.map((one, run) => {
    const ordinals = new Uint32Array(one.prompts.count);
    for (const prompt of promptsInOrder(one, places[run] ?? [])) {
      const name = (one.prompts.hash[4 * prompt] ?? 0) * 2 ** 21 + ((one.prompts.hash[4 * prompt + 1] ?? 0) >>> 11);
      const at = known.get(name) ?? from.length;
      if (at === from.length) from.push({ run, prompt });
      known.set(name, at);
      if (one.prompts.hasTruth[prompt] === 1) hasTruth[at] = 1;
      const why = one.prompts.broken.get(prompt);
      if (why !== undefined) broken.set(at, why);
      for (const [into, own] of [
        [truths, one.prompts.truths.get(prompt)],
        [answers, one.prompts.answers.get(prompt)],
      ] as const) {
        const [first, ...rest] = own ?? [];
        if (first !== undefined) for (const other of rest) note(into, at, first, other);
      }
      const [truth, answer] = [one.firstTruth[prompt], one.firstAnswer[prompt]];
      const [truthBefore, answerBefore] = [firstTruth[at], firstAnswer[at]];
      if (truth !== undefined && truthBefore !== undefined && !sameTruth(truthBefore, truth)) {
        note(truths, at, truthBefore.join(' = '), truth.join(' = '));
      }
      if (answer !== undefined && answerBefore !== undefined && !sameAnswer(answerBefore, answer)) {
        note(answers, at, answerBefore, answer);
      }
      firstTruth[at] ??= truth;
      firstAnswer[at] ??= answer;
      ordinals[prompt] = at;
    }
    return ordinals;
  });
  const count = from.length;
  const factsAt = (at: number): { readonly facts: PromptFacts; readonly prompt: number } | null => {
    const place = from[at];
    const facts = place && runs[place.run]?.prompts;
    return place && facts ? { facts, prompt: place.prompt } : null;
  };
  const column =
    (name: 'ask' | 'images' | 'tokens' | 'tokensLogged' | 'chance') =>
    (_: unknown, at: number): number => {
      const place = factsAt(at);
      return place?.facts[name][place.prompt] ?? 0;
    };
  const first = firstRows(count, runs, { places, ordinal });
  const facts: PromptFacts = {
    count,
    first,
    hash: Uint32Array.from({ length: 4 * count }, (_, i) => {
      const place = factsAt(i >> 2);
      return place?.facts.hash[4 * place.prompt + (i & 3)] ?? 0;
    }),
    ask: Float64Array.from({ length: count }, column('ask')),
    images: Uint8Array.from({ length: count }, column('images')),
    tokens: Float64Array.from({ length: count }, column('tokens')),
    tokensLogged: Uint8Array.from({ length: count }, column('tokensLogged')),
    chance: Float32Array.from({ length: count }, column('chance')),
    hasTruth: hasTruth.slice(0, count),
    broken,
    truths,
    answers,
  };
  return { facts, ordinal };
}

/** Prompts of a run as its rollouts first ask them. */
function promptsInOrder({ rollouts, prompts }: FactsOfRun, places: readonly number[]): readonly number[] {
  const met = new Uint8Array(prompts.count);
  return places.flatMap((row) => {
    const prompt = rollouts.prompt[row] ?? 0;
    if (met[prompt] !== 0) return [];
    met[prompt] = 1;
    return [prompt];
  });
}

/** Index of the first rollout of each prompt in the joined list. */
function firstRows(
  count: number,
  runs: readonly FactsOfRun[],
  { places, ordinal }: { readonly places: readonly (readonly number[])[]; readonly ordinal: readonly Uint32Array[] },
): Uint32Array {
  const first = new Uint32Array(count).fill(0xffffffff);
  let at = 0;
  for (const [run, { rollouts }] of runs.entries()) {
    for (const row of places[run] ?? []) {
      const prompt = ordinal[run]?.[rollouts.prompt[row] ?? 0] ?? 0;
      if (first[prompt] === 0xffffffff) first[prompt] = at;
      at += 1;
    }
  }
  return first;
}
