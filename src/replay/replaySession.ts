/**
 * One loaded model and the episode that is open on it: answers what a panel or the command line asks of a replay. Numbers
 * of one session have one provenance. Owned by replayMain.ts and the command line, which load the model.
 * Leaves out the arithmetic (agreement.ts, decide.ts, branch.ts, gain.ts) and the port.
 */
import { UserError } from '../base/errors.ts';
import type {
  AlignedEpisode,
  BackendFacts,
  BranchRequest,
  BranchResult,
  CallGain,
  DecisionPoint,
  LogprobThresholds,
  LogprobVerdict,
  ReplayEpisode,
  ReplayerEvents,
  ScoredTokens,
} from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import type { Emitter } from '../protocol/rpc.ts';
import { verdictOf } from './agreement.ts';
import { alignEpisode, type Alignment, type WrittenTurn } from './align.ts';
import { calibratedCheck } from './answerCheck.ts';
import { CannotScore, type PolicyBackend } from './backend.ts';
import { branchAt, stopsOf } from './branch.ts';
import {
  countDecisions,
  decidingTokens,
  hazardDecision,
  openerHazards,
  sampledDecision,
  siblingDecision,
  type OpenerTokens,
} from './decide.ts';
import { coalescedTexts, coalescedScores } from './coalesce.ts';
import { emptyScores, outsideShare, takeSlice, type EpisodeScores } from './episodeScores.ts';
import { gainsOfCalls } from './gain.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { factsWithTokens } from './provenance.ts';
import { textOfSample } from './samples.ts';

/** How a turn is sampled. */
export interface EstimateRequest {
  readonly turn: number;
  readonly samples: number;
  readonly seed: number;
  readonly temperature: number;
  readonly topP: number;
}

/** A model with an episode. */
export interface ReplaySession {
  readonly facts: BackendFacts;
  /** Makes an episode the current one. */
  open(episode: ReplayEpisode): Promise<AlignedEpisode>;
  /** The current episode's tokens; UserError where none is open. */
  aligned(): AlignedEpisode;
  score(options: ScoreOptions, signal: AbortSignal): Promise<LogprobVerdict>;
  /** Values of all tokens, NaN where not scored; after `score`. */
  scores(): EpisodeScores;
  decisions(signal: AbortSignal): Promise<readonly DecisionPoint[]>;
  estimate(request: EstimateRequest, signal: AbortSignal): Promise<DecisionPoint>;
  branch(request: BranchRequest, signal: AbortSignal): Promise<BranchResult>;
  gains(signal: AbortSignal): Promise<readonly CallGain[]>;
  dispose(): Promise<void>;
}

/** What is scored besides log-probs. */
export interface ScoreOptions {
  readonly thresholds: LogprobThresholds;
  /** Alternatives a token, at most 64. */
  readonly top: number;
}

/** What a session is made of. */
export interface SessionParts {
  readonly backend: PolicyBackend;
  readonly tokens: PolicyTokens;
  readonly tell: Emitter<ReplayerEvents>;
}

/** Alternatives that top-p is judged by. */
const mostAlternatives = 64;
/** Tokens of a sample that only estimates P(call). */
const longestDecision = 2_048;

const decoder = new TextDecoder();

interface OpenEpisode {
  readonly alignment: Alignment;
  readonly openers: OpenerTokens | null;
  scores: EpisodeScores | null;
}

/** Makes a session without an episode. */
export function createReplaySession({ backend, tokens, tell }: SessionParts): ReplaySession {
  const facts = factsWithTokens(backend.facts, tokens.digest);
  const { provenanceId } = facts;
  let current: OpenEpisode | null = null;

  const opened = (): OpenEpisode => {
    if (current === null) throw new UserError(replayTexts.notOpen, null);
    return current;
  };
  const turnAt = ({ alignment }: OpenEpisode, turn: number): WrittenTurn => {
    const found = alignment.written.find((one) => one.turn === turn);
    if (found === undefined) throw new UserError(replayTexts.noSuchTurn, null);
    return found;
  };

  return {
    facts,
    open: async (episode) => {
      const { contextLength, vocabularySize } = backend.facts;
      const alignment = await alignEpisode(episode, { tokens, contextLength, vocabularySize });
      current = { alignment, openers: await openerTokens(alignment.aligned, tokens), scores: null };
      return alignment.aligned;
    },
    aligned: () => opened().alignment.aligned,
    score: async ({ thresholds, top }, signal) => {
      const open = opened();
      const { alignment, openers } = open;
      const { episode, aligned, ids } = alignment;
      const { logged } = aligned;
      const positions = [...aligned.scored.keys()].filter((at) => aligned.scored[at] === 1);
      const shown = Math.min(mostAlternatives, Math.max(0, top));
      const topP = logged === null ? null : episode.topP;
      const scores = emptyScores(aligned.count);
      const told = coalescedScores(positions, shown, (params) => {
        // The page has no tokenizer: an alternative is named here. Half a character is shown as what it is, unreadable.
        const texts = Array.from(params.values.topIds, (id) => (id < 0 ? '' : decoder.decode(tokens.bytesOf(id))));
        tell.scored({ ...params, texts });
      });
      const temperature = logged !== null && episode.temperature !== 1 ? episode.temperature : null;
      const share = outsideShare({ topP, temperature: temperature ?? 1 });
      const request = {
        ids,
        positions,
        watched: watchedOf(openers),
        top: topP === null || topP >= 1 ? shown : mostAlternatives,
        ...(temperature === null || temperature <= 0 ? {} : { temperature }),
      };
      const heard = (slice: ScoredTokens): void => {
        takeSlice(scores, positions, slice);
        share.add(slice);
        told.add(slice);
      };
      try {
        if (positions.length > 0) await backend.score(request, heard, signal);
      } catch (error) {
        if (!(error instanceof CannotScore)) throw error;
        // What needs no scores works all the same.
        open.scores = scores;
        return { verdict: 'not logged', agreements: [], fits: -1, outsideTopP: null, sentence: error.message };
      }
      told.end();
      open.scores = scores;
      return verdictOf(logged, {
        scored: [
          { temperature: 1, logprobs: scores.logprob },
          ...(temperature === null ? [] : [{ temperature, logprobs: scores.tempered }]),
        ],
        thresholds,
        precision: facts.precision,
        outsideTopP: share.value(),
      });
    },
    scores: () => {
      const { scores } = opened();
      if (scores === null) throw new UserError(replayTexts.notScored, null);
      return scores;
    },
    decisions: async (signal) => {
      const { alignment, openers, scores } = opened();
      const { written, aligned, episode } = alignment;
      const points: DecisionPoint[] = [];
      for (const [index, turn] of written.entries()) {
        const siblings = index === 0 ? siblingDecision(episode, turn) : null;
        if (siblings !== null) points.push(siblings);
        if (openers === null) continue;
        if (scores === null) throw new UserError(replayTexts.notScored, null);
        const deciding = decidingTokens(turn, aligned.texts, openers);
        const first = Math.max(1, deciding.first);
        if (scores.logprob.subarray(first, deciding.end).every((value) => Number.isNaN(value))) continue;
        const firstToken = scores.callOpener.slice(first, deciding.end);
        const hazards = await openerHazards(
          alignment,
          { ...deciding, first },
          {
            backend,
            opener: openers.call.ids,
            firstToken,
            signal,
          },
        );
        points.push(hazardDecision(turn, deciding, { hazards, first: index === 0, provenanceId }));
      }
      return points;
    },
    estimate: async ({ turn: wanted, samples, seed, temperature, topP }, signal) => {
      const open = opened();
      const { alignment, openers } = open;
      const turn = turnAt(open, wanted);
      if (openers === null) throw new UserError(replayTexts.noOpener, null);
      const prefix = alignment.ids.slice(0, turn.first);
      const room = backend.facts.contextLength - prefix.length;
      if (room <= 0) throw new UserError(replayTexts.noRoom, null);
      const maximumTokens = Math.min(room, longestDecision);
      const stop = stopsOf(tokens, openers);
      const drawn = await backend.generate(
        { prefix, samples, seed, temperature, topP, topK: null, maximumTokens, stop, banned: [] },
        () => undefined,
        signal,
      );
      return sampledDecision(
        turn,
        countDecisions(drawn, openers, (ids) => textOfSample(ids, tokens)),
        {
          first: turn === alignment.written[0],
          temperature,
          called: alignment.episode.calls.some((call) => call.turn === turn.turn),
          provenanceId,
        },
      );
    },
    branch: async (request, signal) => {
      const { alignment, openers } = opened();
      const texts = coalescedTexts((arm, sample, added) => {
        tell.branchText({ id: request.id, arm, sample, added });
      });
      const result = await branchAt(alignment, request, {
        backend,
        tokens,
        openers,
        check: calibratedCheck(alignment.episode.recorded),
        provenanceId,
        told: texts.add,
        progress: (what, done, of) => {
          tell.progress({ what, done, of });
        },
        signal,
      });
      texts.end();
      return result;
    },
    gains: async (signal) =>
      gainsOfCalls(opened().alignment, {
        backend,
        tokens,
        provenanceId,
        progress: (done, of) => {
          tell.progress({ what: 'gains', done, of });
        },
        signal,
      }),
    dispose: () => backend.dispose(),
  };
}

async function openerTokens({ opener }: AlignedEpisode, tokens: PolicyTokens): Promise<OpenerTokens | null> {
  const inTokens = async (text: string | null): Promise<OpenerTokens['answer']> =>
    text === null ? null : { text, ids: await tokens.encode(text) };
  const call = await inTokens(opener?.call ?? null);
  return call === null ? null : { call, answer: await inTokens(opener?.answer ?? null) };
}

/** The first token of what opens a call. */
function watchedOf(openers: OpenerTokens | null): readonly number[] {
  const [first] = openers?.call.ids ?? [];
  return first === undefined ? [] : [first];
}
