/**
 * One replayed rollout as the command line prints it: a JSON object whose names are a contract, and text for people.
 * Natural logarithms; null for what is not known. Leaves out replaying (replayCommand.ts).
 */
import { numberText, percentText } from '../base/numberText.ts';
import { tableText } from '../engine/plainText.ts';
import type {
  AlignedEpisode,
  BackendFacts,
  CallGain,
  DecisionPoint,
  LogprobVerdict,
  ReplayEpisode,
} from '../protocol/replay.ts';
import type { EpisodeScores } from '../replay/episodeScores.ts';

/** A rollout and what a model said of it. */
export interface Replayed {
  readonly file: string;
  readonly row: number;
  readonly facts: BackendFacts;
  readonly episode: ReplayEpisode;
  readonly aligned: AlignedEpisode;
  readonly scores: EpisodeScores;
  readonly verdict: LogprobVerdict;
  readonly decisions: readonly DecisionPoint[];
  /** A sentence where there are none; null where they were not asked for. */
  readonly gains: readonly CallGain[] | string | null;
}

/** The contract of `replay --json`. */
export function replayRow({ file, row, facts, episode, aligned, scores, verdict, decisions, gains }: Replayed) {
  return {
    file,
    row,
    step: episode.step,
    model: facts.name,
    provider: facts.provider,
    tokens: Array.from({ length: aligned.count }, (_, at) => ({
      id: aligned.ids[at] ?? -1,
      text: aligned.texts[at] ?? '',
      turn: aligned.turn[at] ?? -1,
      scored: aligned.scored[at] === 1,
      logprob: known(scores.logprob[at]),
      entropy: known(scores.entropy[at]),
      rank: known(scores.rank[at]),
      ...(aligned.logged === null ? {} : { logged: known(aligned.logged[at]) }),
    })),
    decisions: decisions.map((point) => ({
      turn: point.turn,
      p_tool: known(point.callProbability),
      low: point.low,
      high: point.high,
      n: point.n,
      temperature: point.temperature,
      estimator: point.estimator,
      given: point.given,
      called: point.called,
    })),
    ...gainsOf(gains),
    verdict: verdict.verdict,
    sentence: verdict.sentence,
    source: aligned.source,
    misaligned: aligned.misaligned,
    notes: [...episode.notes, ...aligned.notes, ...facts.warnings],
    provenance: {
      ...Object.fromEntries(facts.provenance.map(({ name, value }) => [name, value])),
      id: facts.provenanceId,
    },
  };
}

function gainsOf(gains: Replayed['gains']) {
  if (gains === null) return {};
  if (typeof gains === 'string') return { gains: null, gains_missing: gains };
  return {
    gains: gains.map(({ call, withCall, withoutCall, gain, flagged }) => ({
      call,
      with_call: withCall,
      without_call: withoutCall,
      gain,
      flagged,
    })),
  };
}

function known(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

/** For people: the model, what the comparison says, decisions and gains. */
export function replayText(replayed: Replayed): string {
  const { facts, episode, aligned, verdict, decisions, gains } = replayed;
  const lines = [
    episode.title,
    `${facts.name} (${facts.kind === 'remote' ? facts.provider : `${facts.precision}, ${facts.provider}`}): ${verdict.sentence}`,
    ...[...episode.notes, ...aligned.notes, ...facts.warnings].map((note) => `- ${note}`),
    '',
    tableText(
      decisions.map((point) => ({
        turn: point.turn + 1,
        'P(call)': percentText(point.callProbability),
        interval:
          point.low === null || point.high === null ? '' : `${percentText(point.low)} to ${percentText(point.high)}`,
        n: point.n,
        estimator: point.estimator,
        given: point.given,
        called: point.called,
      })),
    ),
  ];
  if (typeof gains === 'string') lines.push('', gains);
  else if (gains !== null) {
    lines.push(
      '',
      tableText(
        gains.map(({ call, withCall, withoutCall, gain, flagged }) => ({
          call: call + 1,
          'log p with': numberText(withCall),
          'log p without': numberText(withoutCall),
          'gain in nats': numberText(gain),
          flagged,
        })),
      ),
    );
  }
  return lines.join('\n');
}
