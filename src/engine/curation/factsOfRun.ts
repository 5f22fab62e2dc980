/**
 * Facts of one run for curation: the index has the numbers, everything else is read in the logs, once a run and version, in
 * one pass over the files in order. Typed arrays of about 200 bytes a rollout; no text is kept but names and, of a
 * prompt, one ground truth and one right answer to compare the others with.
 * Leaves out joining several runs (joinRuns.ts) and the filters (analysis/curation).
 */
import { chanceLevel } from '../../analysis/redundancy/chanceLevel.ts';
import { meaningOf, sameMeaning, sameTruth, truthsOf } from '../../analysis/curation/answerMeaning.ts';
import { isFailure, unrecoveredCalls } from '../../analysis/curation/executionFailure.ts';
import {
  faultBits,
  imageStates,
  type PromptFacts,
  type RolloutFacts,
  type RunNames,
} from '../../analysis/curation/facts.ts';
import { feedbackOf, type Feedback } from '../../analysis/curation/feedback.ts';
import { total } from '../../analysis/curation/filter.ts';
import { shinglesOf, signatureBytes, signatureOf } from '../../analysis/curation/minHash.ts';
import type { Rollout } from '../../model/rollout.ts';
import { readCurationRows, type CurationRows } from '../../store/curationRows.ts';
import type { RunIndex } from '../runIndex.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';
import {
  comparedTexts,
  hashOfNumbers,
  hashOfPicture,
  hashOfPrompt,
  hashOfQuestion,
  hashOfRollout,
  promptTurns,
} from './contentOf.ts';
import { brokenReason } from './imageCheck.ts';
import { nameSets, type NameSets } from './nameSets.ts';
import { streamRollouts } from './streamRollouts.ts';

/** Facts of a run; group and prompt ordinals, and name sets, are its own. */
export interface FactsOfRun {
  readonly rows: CurationRows;
  readonly rollouts: RolloutFacts;
  readonly prompts: PromptFacts;
  readonly nameSets: readonly (readonly string[])[];
  readonly names: RunNames;
  /** By prompt: one ground truth (its spellings) and one right answer, to compare those of other runs with. */
  readonly firstTruth: readonly (readonly string[] | undefined)[];
  readonly firstAnswer: readonly (string | undefined)[];
  /** 1 = its record was read; 0 = it has changed since it was indexed, and nothing is known of it. */
  readonly seen: Uint8Array;
  readonly gone: number;
}

/** How a run is read. */
export interface FactsOptions {
  readonly contents: UnwrappedFiles;
  readonly signal: AbortSignal;
  /** Rollouts dealt with. */
  readonly progress: (done: number) => void;
}

const mostCount = 65_535;

/** Reads all facts of a run. */
export async function factsOfRun(run: RunIndex, { contents, signal, progress }: FactsOptions): Promise<FactsOfRun> {
  const rows = await readCurationRows(run.table, signal);
  const { count, step, group, correct } = rows;
  const rollouts: RolloutFacts = { ...emptyRollouts(count), step, group, correct };
  const prompts = promptBuilder(rows.count, rows.group);
  const names = nameSets();
  const counts = nameCounts();
  const seen = new Uint8Array(rows.count);
  for (let first = 0; first < rows.count;) {
    signal.throwIfAborted();
    const file = rows.file[first] ?? 0;
    let end = first;
    while (end < rows.count && rows.file[end] === file) end += 1;
    const path = run.absolutePath(rows.files[file] ?? '');
    const entry = run.files.entries().find(({ found }) => found.path === path);
    let next = first;
    if (entry) {
      await streamRollouts(entry.found, {
        contents,
        signal,
        rollout: (rollout) => {
          const { row } = rollout.place;
          while (next < end && (rows.row[next] ?? 0) < row) next += 1;
          if (next >= end || rows.row[next] !== row) return;
          take(rollout, next, { rollouts, prompts, names, counts });
          seen[next] = 1;
          next += 1;
        },
        caughtUp: () => {
          progress(next);
          return Promise.resolve();
        },
      });
    }
    first = end;
    progress(end);
  }
  return {
    rows,
    rollouts,
    prompts: prompts.finish(),
    nameSets: names.all(),
    names: counts.finish(),
    firstTruth: prompts.firstTruth,
    firstAnswer: prompts.firstAnswer,
    seen,
    gone: rows.count - total(seen),
  };
}

/** Facts of so many rollouts, all zero. */
export function emptyRollouts(count: number): RolloutFacts {
  return {
    count,
    run: new Uint16Array(count),
    step: new Int32Array(count),
    group: new Uint32Array(count),
    prompt: new Uint32Array(count),
    correct: new Uint8Array(count),
    calls: new Uint16Array(count),
    failed: new Uint16Array(count),
    unrecovered: new Uint16Array(count),
    unknownOutcome: new Uint8Array(count),
    characters: new Uint32Array(count),
    content: new Uint32Array(4 * count),
    sameAsk: new Uint32Array(count),
    signature: new Uint8Array(signatureBytes * count),
    faults: new Uint8Array(count),
    pythonCalls: new Uint16Array(count),
    otherCalls: new Uint16Array(count),
    undefinedNames: new Uint32Array(count),
    imports: new Uint32Array(count),
  };
}

interface Into {
  readonly rollouts: RolloutFacts;
  readonly prompts: PromptBuilder;
  readonly names: NameSets;
  readonly counts: NameCounts;
}

function take(rollout: Rollout, at: number, { rollouts, prompts, names, counts }: Into): void {
  const sent = rollout.calls.filter((call) => call.sent);
  const pictures = rollout.images.map(({ base64, state }) => hashOfPicture(base64, state));
  const asked = rollout.images.flatMap(({ origin }, index) => (origin === 'prompt' ? [pictures[index] ?? ''] : []));
  const apart = rollout.images.some(({ origin, base64 }) => origin === 'prompt' && base64 === null)
    ? rollout.group.key
    : '';
  rollouts.calls[at] = Math.min(mostCount, sent.length);
  rollouts.failed[at] = Math.min(mostCount, sent.filter(isFailure).length);
  rollouts.unrecovered[at] = Math.min(mostCount, unrecoveredCalls(rollout.calls).length);
  rollouts.unknownOutcome[at] = sent.some(({ outcome, control }) => outcome === 'unknown' && !control) ? 1 : 0;
  rollouts.characters[at] = rollout.turns.reduce((sum, { characters }) => sum + characters, 0);
  rollouts.content.set(words(hashOfRollout(rollout, pictures)), 4 * at);
  rollouts.sameAsk[at] = hashOfNumbers(rollout, asked, apart);
  rollouts.signature.set(signatureOf(shinglesOf(comparedTexts(rollout))), signatureBytes * at);
  const feedback = feedbackOf(rollout);
  rollouts.faults[at] = bitsOf(feedback);
  rollouts.pythonCalls[at] = Math.min(mostCount, feedback.pythonCalls);
  rollouts.otherCalls[at] = Math.min(mostCount, feedback.otherCalls);
  rollouts.undefinedNames[at] = names.indexOf(feedback.undefinedNames.map(({ name }) => name));
  rollouts.imports[at] = names.indexOf(feedback.imports.map(({ name }) => name));
  counts.add(feedback);
  rollouts.prompt[at] = prompts.add(rollout, { at, correct: rollouts.correct[at] === 1, pictures: asked, apart });
}

/** 16 bytes as four numbers. */
function words(hash: Uint8Array): Uint32Array {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return Uint32Array.from({ length: 4 }, (_, index) => view.getUint32(4 * index));
}

/** Four numbers as hexadecimal digits: a row's name. */
export function hexOf(hash: Uint32Array, at: number): string {
  let text = '';
  for (let i = 0; i < 4; i += 1) text += (hash[4 * at + i] ?? 0).toString(16).padStart(8, '0');
  return text;
}

function bitsOf({ faults }: Feedback): number {
  let bits = 0;
  for (const { fault } of faults) {
    if (fault === 'does not parse' || fault === 'contradiction' || fault === 'no call') bits |= faultBits[fault];
  }
  return bits;
}

interface NameCounts {
  add(feedback: Feedback): void;
  finish(): RunNames;
}

function nameCounts(): NameCounts {
  let pythonRollouts = 0;
  const unbound = new Map<string, number>();
  const imported = new Map<string, number>();
  const refusedNames = new Map<string, number>();
  const refusedModules = new Map<string, number>();
  const count = (into: Map<string, number>, names: Iterable<string>): void => {
    for (const name of names) into.set(name, (into.get(name) ?? 0) + 1);
  };
  return {
    add: (feedback) => {
      if (feedback.pythonCalls > 0) pythonRollouts += 1;
      count(unbound, new Set(feedback.undefinedNames.map(({ name }) => name)));
      count(imported, new Set(feedback.imports.map(({ name }) => name)));
      count(refusedNames, feedback.refusedNames);
      count(refusedModules, feedback.refusedModules);
    },
    finish: () => ({ pythonRollouts, unbound, imported, refusedNames, refusedModules }),
  };
}

interface Asked {
  /** Index of the rollout. */
  readonly at: number;
  readonly correct: boolean;
  /** Hashes of the prompt's pictures. */
  readonly pictures: readonly string[];
  readonly apart: string;
}

interface PromptBuilder {
  /** Adds what a rollout says of its prompt; gives the prompt's index. */
  add(rollout: Rollout, asked: Asked): number;
  readonly firstTruth: readonly (readonly string[] | undefined)[];
  readonly firstAnswer: readonly (string | undefined)[];
  finish(): PromptFacts;
}

/** Answers and truths are compared, not kept whole; one character more than is compared shows that there was more. */
const longestKept = 201;
const mostDiffering = 8;

function promptBuilder(most: number, group: Uint32Array): PromptBuilder {
  const known = new Map<number, number>();
  /** Prompt of each group: its rollouts are of one prompt, though a simulated user may have asked in other words. */
  const ofGroup = new Int32Array(group.reduce((last, one) => Math.max(last, one + 1), 0)).fill(-1);
  const first = new Uint32Array(most);
  const hash = new Uint32Array(4 * most);
  const ask = new Float64Array(most);
  const images = new Uint8Array(most);
  const tokens = new Float64Array(most);
  const tokensLogged = new Uint8Array(most);
  const chance = new Float32Array(most);
  const hasTruth = new Uint8Array(most);
  const broken = new Map<number, string>();
  const truths = new Map<number, string[]>();
  const answers = new Map<number, string[]>();
  /** What the others are compared with. */
  const firstTruth: (readonly string[] | undefined)[] = [];
  const firstAnswer: (string | undefined)[] = [];
  const checked = new Map<string, string | null>();
  let count = 0;

  const addPrompt = (rollout: Rollout, { at, pictures, apart }: Asked, digest: Uint32Array): number => {
    const prompt = count;
    count += 1;
    first[prompt] = at;
    hash.set(digest, 4 * prompt);
    ask[prompt] = hashOfQuestion(rollout, pictures, apart);
    const length = promptLength(rollout);
    tokens[prompt] = length.tokens;
    tokensLogged[prompt] = length.logged ? 1 : 0;
    chance[prompt] = chanceLevel(rollout) ?? Number.NaN;
    const state = imagesOf(rollout, checked);
    images[prompt] = state.state;
    if (state.why !== null) broken.set(prompt, state.why);
    return prompt;
  };

  /** The prompt with these words and pictures. */
  const named = (rollout: Rollout, asked: Asked): number => {
    const digest = words(hashOfPrompt(rollout, asked.pictures, asked.apart));
    const name = (digest[0] ?? 0) * 2 ** 21 + ((digest[1] ?? 0) >>> 11);
    const prompt = known.get(name) ?? addPrompt(rollout, asked, digest);
    known.set(name, prompt);
    return prompt;
  };

  const addTruth = (prompt: number, rollout: Rollout): void => {
    const spellings = truthsOf(rollout.groundTruth).map((text) => text.slice(0, longestKept));
    if (spellings.length === 0) return;
    hasTruth[prompt] = 1;
    const before = firstTruth[prompt];
    if (before === undefined) firstTruth[prompt] = spellings;
    else if (!isSameList(before, spellings) && !sameTruth(before, spellings)) {
      note(truths, prompt, before.join(' = '), spellings.join(' = '));
    }
  };

  const addAnswer = (prompt: number, answer: string): void => {
    hasTruth[prompt] = 1;
    const text = answer.trim().slice(0, longestKept);
    const before = firstAnswer[prompt];
    if (before === text || text === '') return;
    if (before === undefined) firstAnswer[prompt] = text;
    else if (!sameAnswer(before, text)) note(answers, prompt, before, text);
  };

  return {
    firstTruth,
    firstAnswer,
    add: (rollout, asked) => {
      const ordinal = group[asked.at] ?? 0;
      const prompt = ofGroup[ordinal] === -1 ? named(rollout, asked) : (ofGroup[ordinal] ?? 0);
      ofGroup[ordinal] = prompt;
      addTruth(prompt, rollout);
      if (asked.correct && rollout.answer !== null) addAnswer(prompt, rollout.answer);
      return prompt;
    },
    finish: () => ({
      count,
      first: first.slice(0, count),
      hash: hash.slice(0, 4 * count),
      ask: ask.slice(0, count),
      images: images.slice(0, count),
      tokens: tokens.slice(0, count),
      tokensLogged: tokensLogged.slice(0, count),
      chance: chance.slice(0, count),
      hasTruth: hasTruth.slice(0, count),
      broken,
      truths,
      answers,
    }),
  };
}

/** False only where two answers surely differ in meaning. */
export function sameAnswer(one: string, other: string): boolean {
  const [first, second] = [meaningOf(one), meaningOf(other)];
  return first === null || second === null || sameMeaning(first, second);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

/** Notes two texts that differ. */
export function note(into: Map<number, string[]>, prompt: number, one: string, other: string): void {
  const known = into.get(prompt) ?? [one];
  if (!known.includes(other) && known.length < mostDiffering) known.push(other);
  into.set(prompt, known);
}

/** Tokens where every turn of the prompt has them, else characters / 4. */
function promptLength(rollout: Rollout): { readonly tokens: number; readonly logged: boolean } {
  let tokens = 0;
  let characters = 0;
  let logged = true;
  for (const turn of promptTurns(rollout)) {
    characters += turn.characters;
    if (turn.tokens === null) logged = false;
    else tokens += turn.tokens;
  }
  return logged && tokens > 0 ? { tokens, logged } : { tokens: characters / 4, logged: false };
}

/** Pictures of a run are looked at once each. */
const mostRemembered = 20_000;

function imagesOf(
  { images }: Rollout,
  checked: Map<string, string | null>,
): { readonly state: number; readonly why: string | null } {
  const asked = images.filter(({ origin }) => origin === 'prompt');
  if (asked.length === 0) return { state: imageStates.none, why: null };
  let missing = false;
  for (const [index, { base64 }] of asked.entries()) {
    if (base64 === null) {
      missing = true;
      continue;
    }
    const name = hashOfPicture(base64, '');
    const known = checked.get(name);
    const why = known === undefined ? brokenReason(Buffer.from(base64, 'base64')) : known;
    if (checked.size < mostRemembered) checked.set(name, why);
    if (why !== null) return { state: imageStates.broken, why: `picture ${index + 1}: ${why}` };
  }
  return { state: missing ? imageStates['not logged'] : imageStates.decoded, why: null };
}
