/**
 * A curation as it stands: the facts of the chosen runs, what was said of their rows, and the funnel over both. Shared by the
 * engine process and the command line. The latest funnel is kept, so that pages of its rows come at once.
 * Leaves out reading logs (factsOfRun.ts), asking a judge (judgeRows.ts) and writing files (exportCuration.ts).
 */
import { filters, judgedFilters } from '../../analysis/curation/all.ts';
import { exactDuplicate } from '../../analysis/curation/duplicates.ts';
import type { CurationData, ToolFreeFacts } from '../../analysis/curation/facts.ts';
import { handWords, runFunnel, type FunnelRows } from '../../analysis/curation/funnel.ts';
import { UserError } from '../../base/errors.ts';
import { pluralText } from '../../base/numberText.ts';
import type { CurationConfig, CurationFilter, Funnel, ToolFreeSamples } from '../../protocol/curation.ts';
import type { RunId } from '../../protocol/engine.ts';
import type { RunIndex } from '../runIndex.ts';
import type { CurationFacts } from './curationFacts.ts';
import { hexOf, type FactsOfRun } from './factsOfRun.ts';
import { joinRuns, type JoinedFacts } from './joinRuns.ts';
import { correctnessNotes } from './correctnessNotes.ts';
import { judgementKey, type KeptJudgement, type KeptRows } from './keptRows.ts';
import { toolFreeGenerated, toolFreeOfItself, toolFreeOfRun } from './toolFree.ts';

/** Everything about the rows of one question. */
export interface CuratedRows {
  readonly config: CurationConfig;
  readonly runs: readonly RunIndex[];
  readonly facts: readonly FactsOfRun[];
  readonly joined: JoinedFacts;
  readonly data: CurationData;
  readonly funnel: FunnelRows<CurationFilter>;
  /** The user's words: `handWords` by row. */
  readonly byHand: Uint8Array;
  /** Number of rows: rollouts (sft) or prompts (rl). */
  readonly count: number;
  /** Names a row for ever. */
  keyOf(row: number): string;
  /** What the row says, as a hash: equal for exact duplicates. */
  contentOf(row: number): string;
  /** Index of the row's (first) rollout. */
  rolloutOf(row: number): number;
  judgementOf(row: number): KeptJudgement | null;
  readonly notes: readonly string[];
}

/** How curations are made. */
export interface CurationSources {
  readonly facts: CurationFacts;
  readonly kept: KeptRows;
  /** A run whose shards are in its table. */
  readonly loaded: (run: RunId) => Promise<RunIndex>;
  /** Rollouts read so far, and how many there are. */
  readonly progress: (done: number, of: number) => void;
}

/** What is curated, and how. */
export interface CurationQuestion {
  readonly runs: readonly RunId[];
  readonly config: CurationConfig;
}

/** Curations over open runs. */
export interface Curations {
  /** Reads what is not read yet; gives the number of rollouts. */
  prepare(runs: readonly RunId[], signal: AbortSignal): Promise<number>;
  rows(question: CurationQuestion, signal: AbortSignal): Promise<CuratedRows>;
}

/** Nothing is read yet. */
export function createCurations({ facts, kept, loaded, progress }: CurationSources): Curations {
  let joinedBefore: { readonly facts: readonly FactsOfRun[]; readonly joined: JoinedFacts } | null = null;
  let before: { readonly state: readonly unknown[]; readonly rows: CuratedRows } | null = null;

  const factsOf = async (runs: readonly RunIndex[], signal: AbortSignal): Promise<readonly FactsOfRun[]> => {
    const all = runs.reduce((sum, run) => sum + run.summary().rollouts, 0);
    const found: FactsOfRun[] = [];
    let done = 0;
    for (const run of runs) {
      const one = await facts.of(
        run,
        (rows) => {
          progress(Math.min(all, done + rows), all);
        },
        signal,
      );
      found.push(one);
      done += one.rows.count;
    }
    return found;
  };

  const joinedOf = (found: readonly FactsOfRun[]): JoinedFacts => {
    if (joinedBefore !== null && isSame(joinedBefore.facts, found)) return joinedBefore.joined;
    const joined = joinRuns(found);
    joinedBefore = { facts: found, joined };
    return joined;
  };

  const loadedRuns = async (ids: readonly RunId[]): Promise<readonly RunIndex[]> => {
    if (ids.length === 0) throw new UserError('No run is chosen.', 'Choose the runs to curate.');
    const runs: RunIndex[] = [];
    for (const id of new Set(ids)) runs.push(await loaded(id));
    return runs;
  };

  return {
    prepare: async (ids, signal) => {
      const found = await factsOf(await loadedRuns(ids), signal);
      return found.reduce((sum, { rows, gone }) => sum + rows.count - gone, 0);
    },
    rows: async ({ runs: ids, config }, signal) => {
      const runs = await loadedRuns(ids);
      const base = config.toolFreeFrom.kind === 'run' ? await loaded(config.toolFreeFrom.run) : null;
      const found = await factsOf(runs, signal);
      const [baseFacts] = base === null ? [null] : await factsOf([base], signal);
      const overrules = await kept.overrules.all();
      const judgements = await kept.judgements.all();
      const generated: ReadonlyMap<string, ToolFreeSamples> =
        config.toolFreeFrom.kind === 'generated' ? await kept.toolFree.all() : new Map();
      const sizes = [overrules.size, judgements.size, generated.size];
      // Maps change in place: their last words tell whether they did.
      const words = [...[overrules, judgements, generated].map(lastOf), ...sizes];
      const state = [...found, baseFacts, JSON.stringify(config), ...words];
      if (before !== null && isSame(before.state, state)) return before.rows;
      const joined = joinedOf(found);
      const toolFree = toolFreeOf(joined, config, {
        base: baseFacts ? { joined: joinRuns([baseFacts]), name: base?.summary().name ?? '' } : null,
        generated: generated.values(),
      });
      const rows = curatedRows({ config, runs, facts: found, joined, toolFree, overrules, judgements });
      before = { state, rows };
      return rows;
    },
  };
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}

function lastOf(map: ReadonlyMap<string, unknown>): unknown {
  let last: unknown = null;
  for (const value of map.values()) last = value;
  return last;
}

function toolFreeOf(
  joined: JoinedFacts,
  { toolFreeFrom }: CurationConfig,
  {
    base,
    generated,
  }: {
    readonly base: { readonly joined: JoinedFacts; readonly name: string } | null;
    readonly generated: Parameters<typeof toolFreeGenerated>[1];
  },
): ToolFreeFacts | null {
  switch (toolFreeFrom.kind) {
    case 'none':
      return null;
    case 'self':
      return toolFreeOfItself(joined);
    case 'generated':
      return toolFreeGenerated(joined, generated);
    case 'run':
      return base === null ? null : toolFreeOfRun(joined, base.joined, base.name);
  }
}

interface Parts {
  readonly config: CurationConfig;
  readonly runs: readonly RunIndex[];
  readonly facts: readonly FactsOfRun[];
  readonly joined: JoinedFacts;
  readonly toolFree: ToolFreeFacts | null;
  readonly overrules: ReadonlyMap<string, { readonly verdict: 'keep' | 'drop' }>;
  readonly judgements: Awaited<ReturnType<KeptRows['judgements']['all']>>;
}

function curatedRows({ config, runs, facts, joined, toolFree, overrules, judgements }: Parts): CuratedRows {
  const { stage } = config;
  const hash = stage === 'sft' ? joined.rollouts.content : joined.prompts.hash;
  const count = hash.length / 4;
  const repeated = stage === 'sft' ? repetitions(joined, config) : new Map<number, number>();
  const contentOf = (row: number): string => hexOf(hash, row);
  const keyOf = (row: number): string => {
    const repetition = repeated.get(row);
    return repetition === undefined ? contentOf(row) : `${contentOf(row)}-${repetition}`;
  };
  const chosen = judgements.get(`use ${stage}`);
  const pair = chosen && 'use' in chosen ? chosen.use : null;
  const judgementOf = (row: number): KeptJudgement | null => {
    const found = pair === null ? undefined : judgements.get(judgementKey(pair, contentOf(row)));
    return found && 'score' in found ? found : null;
  };
  const scores = new Float32Array(count).fill(Number.NaN);
  if (pair !== null) {
    for (let row = 0; row < count; row += 1) scores[row] = judgementOf(row)?.score ?? Number.NaN;
  }
  const data: CurationData = {
    rollouts: joined.rollouts,
    prompts: joined.prompts,
    nameSets: joined.nameSets,
    names: facts.map(({ names }) => names),
    toolFree,
    scores,
    judgeAsked: pair !== null,
    firstSteps: joined.firstSteps,
  };
  const byHand = byHandOf({ count, hash, keyOf }, overrules);
  const funnel = runFunnel<CurationFilter>({
    data,
    settings: config,
    filters: filters[stage],
    off: new Set(config.off),
    byHand,
  });
  const rolloutOf = (row: number): number => (stage === 'sft' ? row : (joined.prompts.first[row] ?? 0));
  const notes = notesOf({ config, runs, facts, joined, toolFree, funnel });
  return { config, runs, facts, joined, data, funnel, byHand, count, keyOf, contentOf, rolloutOf, judgementOf, notes };
}

/** Exact duplicates say the same, so they are told apart by how many came before: 1, 2, …; the first has none. */
function repetitions(
  { rollouts, prompts, nameSets, firstSteps }: JoinedFacts,
  settings: CurationConfig,
): Map<number, number> {
  const data = { rollouts, prompts, nameSets, firstSteps, names: [], toolFree: null, scores: new Float32Array() };
  const { other } = exactDuplicate.decide(data, settings, null);
  const times = new Map<number, number>();
  const ordinals = new Map<number, number>();
  other?.forEach((first, row) => {
    if (first < 0) return;
    const before = (times.get(first) ?? 0) + 1;
    times.set(first, before);
    ordinals.set(row, before);
  });
  return ordinals;
}

/** Rows are many and words few: a number of each hash is looked at before its text is made. */
function byHandOf(
  {
    count,
    hash,
    keyOf,
  }: { readonly count: number; readonly hash: Uint32Array; readonly keyOf: (row: number) => string },
  overrules: Parts['overrules'],
): Uint8Array {
  const byHand = new Uint8Array(count);
  if (overrules.size === 0) return byHand;
  const named = new Set(Array.from(overrules.keys(), (key) => Number.parseInt(key.slice(0, 8), 16)));
  for (let row = 0; row < count; row += 1) {
    if (!named.has(hash[4 * row] ?? 0)) continue;
    const verdict = overrules.get(keyOf(row))?.verdict;
    if (verdict !== undefined) byHand[row] = handWords[verdict];
  }
  return byHand;
}

function notesOf({
  config,
  runs,
  facts,
  joined,
  toolFree,
  funnel,
}: Pick<Parts, 'config' | 'runs' | 'facts' | 'joined' | 'toolFree'> & Pick<CuratedRows, 'funnel'>): readonly string[] {
  const notes: string[] = [];
  const gone = facts.reduce((sum, one) => sum + one.gone, 0);
  if (gone > 0)
    notes.push(`${pluralText(gone, 'record')} changed since they were indexed and are left out; read the run again.`);
  if (config.stage === 'sft') {
    notes.push(...(toolFree?.notes ?? []));
    notes.push(...correctnessNotes({ runs, joined, funnel }));
  }
  return notes;
}

/** The funnel as it crosses to the host. */
export function funnelOf({ config, funnel, notes }: CuratedRows): Funnel {
  return {
    stage: config.stage,
    rows: funnel.rows,
    kept: funnel.kept,
    stages: funnel.parts.map(({ filter, entered, dropped, matches, undecided, coverage }) => ({
      filter: filter.id,
      entered,
      dropped,
      matches,
      undecided,
      coverage,
    })),
    overruled: funnel.overruled,
    byHand: funnel.byHand,
    notes,
  };
}

/** Rows that come in at the filter a judge decides, in their order; none where it is off. */
export function rowsToJudge({ config, funnel, data, count }: CuratedRows): readonly number[] {
  const filter = judgedFilters[config.stage];
  const at = funnel.parts.findIndex((part) => part.filter.id === filter);
  if (config.off.includes(filter)) return [];
  const rows: number[] = [];
  for (let row = 0; row < count; row += 1) {
    const dropper = funnel.dropper[row] ?? 0;
    const reaches = dropper === -1 || dropper >= at;
    // What the log itself shows to be ambiguous needs no judge.
    const shown = config.stage === 'rl' && (data.prompts.truths.has(row) || data.prompts.answers.has(row));
    if (reaches && !shown) rows.push(row);
  }
  return rows;
}
