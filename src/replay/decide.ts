/**
 * P(call a tool) against P(answer now) at each turn of the policy, by four estimators that say what they condition on:
 * siblings, the hazard of the opener along the recorded text, the first token where nothing is reasoned, and samples from
 * the start of the turn. Leaves out scoring (replaySession.ts) and counterfactuals (branch.ts).
 */
import { wilsonInterval } from '../analysis/intervals.ts';
import type { DecisionPoint, ReplayEpisode } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import type { Alignment, WrittenTurn } from './align.ts';
import type { GeneratedSample, PolicyBackend } from './backend.ts';

/** The opener of a call and of an answer in tokens. */
export interface OpenerTokens {
  readonly call: { readonly text: string; readonly ids: readonly number[] };
  readonly answer: { readonly text: string; readonly ids: readonly number[] } | null;
}

/** The share of siblings with a call in their first turn; null where the group is not known. */
export function siblingDecision(episode: ReplayEpisode, turn: WrittenTurn): DecisionPoint | null {
  const { siblings, calls } = episode;
  const interval = siblings === null ? null : wilsonInterval(siblings.calledFirst, siblings.count);
  if (siblings === null || interval === null) return null;
  return {
    turn: turn.turn,
    estimator: 'siblings',
    callProbability: interval.share,
    low: interval.low,
    high: interval.high,
    n: siblings.count,
    temperature: episode.temperature ?? 1,
    given: '',
    called: calls.some((call) => call.turn === turn.turn),
    provenanceId: null,
  };
}

/** Where the policy decided in a turn: tokens up to and with the first opener, of either kind. */
export interface DecidingTokens {
  /** Index of the first token and end, exclusive, into the episode's tokens. */
  readonly first: number;
  readonly end: number;
  readonly called: boolean;
  /** True where an opener is the first thing that was written: nothing was reasoned. */
  readonly atOnce: boolean;
}

/** Finds the first opener in the recorded tokens of a turn; without one, all tokens of the turn. */
export function decidingTokens(turn: WrittenTurn, texts: readonly string[], openers: OpenerTokens): DecidingTokens {
  const own = texts.slice(turn.first, turn.end);
  const whole = own.join('');
  const call = whole.indexOf(openers.call.text);
  const answer = openers.answer === null ? -1 : whole.indexOf(openers.answer.text);
  const called = call !== -1 && (answer === -1 || call < answer);
  const at = called ? call : answer;
  if (at === -1) return { first: turn.first, end: turn.end, called: false, atOnce: false };
  let length = 0;
  const token = own.findIndex((text) => {
    length += text.length;
    return length > at;
  });
  return {
    first: turn.first,
    end: turn.first + token + 1,
    called,
    atOnce: whole.slice(0, at).trim() === '',
  };
}

/**
 * P(an opener of a call comes somewhere along the recorded text): 1 − Π (1 − h), h being the probability of the opener at
 * each token up to the recorded decision. `hazards` are parallel to those tokens.
 */
export function hazardDecision(
  turn: WrittenTurn,
  deciding: DecidingTokens,
  { hazards, first, provenanceId }: { hazards: Float64Array; first: boolean; provenanceId: string },
): DecisionPoint {
  let logSurvival = 0;
  // A server tells only the most probable tokens: an opener that is not among them counts as 0, and the point says so.
  const unseen = hazards.filter((hazard) => Number.isNaN(hazard)).length;
  for (const hazard of hazards) {
    if (!Number.isNaN(hazard)) logSurvival += Math.log1p(-Math.min(1, Math.max(0, hazard)));
  }
  const conditions = [
    first ? '' : replayTexts.onRecordedPrefix,
    deciding.atOnce ? '' : replayTexts.givenReasoning,
    unseen === 0 ? '' : replayTexts.unseen(unseen),
  ];
  return {
    turn: turn.turn,
    estimator: deciding.atOnce ? 'first token' : 'hazard',
    callProbability: -Math.expm1(logSurvival),
    low: null,
    high: null,
    n: 0,
    temperature: 1,
    given: conditions.filter((condition) => condition !== '').join(', '),
    called: deciding.called,
    provenanceId,
  };
}

/** Hazards below this are those of the first token alone: more tokens make them only smaller. */
const leastHazard = 1e-3;
/** Places of one turn at which the rest of an opener of several tokens is scored. */
const mostForks = 48;

/**
 * P(the opener begins here) at each deciding token. `firstToken` holds P(its first token); for an opener of several tokens
 * the rest is forced behind the recorded prefix and multiplied.
 */
export async function openerHazards(
  alignment: Alignment,
  deciding: DecidingTokens,
  {
    backend,
    opener,
    firstToken,
    signal,
  }: {
    readonly backend: PolicyBackend;
    readonly opener: readonly number[];
    readonly firstToken: Float64Array;
    readonly signal: AbortSignal;
  },
): Promise<Float64Array> {
  const hazards = Float64Array.from(firstToken);
  if (opener.length <= 1) return hazards;
  const likely = [...hazards.keys()]
    .filter((at) => (hazards[at] ?? 0) >= leastHazard)
    .sort((a, b) => (hazards[b] ?? 0) - (hazards[a] ?? 0))
    .slice(0, mostForks)
    .sort((a, b) => a - b);
  for (const at of likely) {
    const prefix = alignment.ids.slice(0, deciding.first + at);
    const ids = [...prefix, ...opener];
    if (ids.length > backend.facts.contextLength) continue;
    let rest = 0;
    await backend.score(
      { ids, positions: opener.slice(1).map((_, index) => prefix.length + 1 + index), watched: [], top: 0 },
      ({ logprob }) => {
        for (const value of logprob) rest += value;
      },
      signal,
    );
    hazards[at] = (hazards[at] ?? 0) * Math.exp(rest);
  }
  return hazards;
}

/** How samples from the start of a turn decided. */
export interface SampledDecision {
  readonly called: number;
  readonly decided: number;
  readonly undecided: number;
}

/** Counts samples: one that was cut before any opener has not decided. */
export function countDecisions(
  samples: readonly GeneratedSample[],
  openers: OpenerTokens,
  textOf: (ids: readonly number[]) => string,
): SampledDecision {
  let called = 0;
  let undecided = 0;
  for (const { ids, ended } of samples) {
    const text = textOf(ids);
    if (isCall(text, openers)) called += 1;
    else if (ended === 'length' && !(openers.answer !== null && text.includes(openers.answer.text))) undecided += 1;
  }
  return { called, decided: samples.length - undecided, undecided };
}

/** True where a call opens before an answer does. */
export function isCall(text: string, { call, answer }: OpenerTokens): boolean {
  const opened = text.indexOf(call.text);
  const answered = answer === null ? -1 : text.indexOf(answer.text);
  return opened !== -1 && (answered === -1 || opened < answered);
}

/** The estimate of samples from the start of a turn, with its 95 % Wilson interval. */
export function sampledDecision(
  turn: WrittenTurn,
  counts: SampledDecision,
  {
    first,
    temperature,
    called,
    provenanceId,
  }: {
    readonly first: boolean;
    readonly temperature: number;
    readonly called: boolean;
    readonly provenanceId: string;
  },
): DecisionPoint {
  const interval = wilsonInterval(counts.called, counts.decided);
  const conditions = [
    first ? '' : replayTexts.onRecordedPrefix,
    counts.undecided === 0 ? '' : replayTexts.undecided(counts.undecided),
  ];
  return {
    turn: turn.turn,
    estimator: 'Monte Carlo',
    callProbability: interval?.share ?? Number.NaN,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    n: counts.decided,
    temperature,
    given: conditions.filter((condition) => condition !== '').join('; '),
    called,
    provenanceId,
  };
}
