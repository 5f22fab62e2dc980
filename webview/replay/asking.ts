/**
 * What the page asks of one model, and what came of it: tokens, scores, verdict, decisions, gains. One at a time is asked;
 * a new model or episode begins anew, and what is still under way is cancelled. Leaves out drawing.
 */
import type { PlayerEvents, PlayerHostApi, PlayerModel, PlayerSide } from '../../src/protocol/player.ts';
import type { CallGain, DecisionPoint, LogprobVerdict } from '../../src/protocol/replay.ts';
import type { Client, ParamsOf } from '../../src/protocol/rpc.ts';
import { episodeTokens, type EpisodeTokens } from './episodeTokens.ts';
import { speakingText } from './modelBar.ts';

/** What one model said of the episode. */
export interface Asked {
  readonly side: PlayerSide;
  model: PlayerModel;
  /** Names the model that the values are of, with precision and provider; it outlives a death of the process. */
  speaker: string;
  tokens: EpisodeTokens | null;
  verdict: LogprobVerdict | null;
  decisions: readonly DecisionPoint[];
  /** By Monte Carlo, added one turn at a time. */
  estimates: readonly DecisionPoint[];
  gains: readonly CallGain[] | null;
  /** What runs, null for nothing. */
  running: string | null;
}

/** The way to one model. */
export interface Asking {
  readonly state: Asked;
  /** Takes another model, or the same in another state; scores it where it is ready. */
  setModel(model: PlayerModel): void;
  /** Forgets what belongs to the old episode and scores the new one. */
  restart(): void;
  scored(event: ParamsOf<PlayerEvents['scored']>): void;
  /** Runs one question that the user asked; refuses while another runs. */
  run<Result>(what: string, question: (signal: AbortSignal) => Promise<Result>): Promise<Result | null>;
  /** True while tokens are scored. */
  readonly scoring: boolean;
  cancel(): void;
}

/** What the page is told. */
export interface AskingListeners {
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

/** Starts without a model. */
export function makeAsking(side: PlayerSide, api: Client<PlayerHostApi>, { changed, failed }: AskingListeners): Asking {
  const state: Asked = {
    side,
    model: { state: 'none', reason: null },
    speaker: '',
    tokens: null,
    verdict: null,
    decisions: [],
    estimates: [],
    gains: null,
    running: null,
  };
  let scoring: AbortController | null = null;
  let asked: AbortController | null = null;
  /** Provenance that the values at hand belong to. */
  let provenance: string | null = null;

  const forget = (): void => {
    scoring?.abort();
    scoring = null;
    provenance = null;
    state.tokens = null;
    state.verdict = null;
    state.decisions = [];
    state.estimates = [];
    state.gains = null;
  };

  const score = async (): Promise<void> => {
    const controller = new AbortController();
    scoring?.abort();
    scoring = controller;
    try {
      await scoreWith(controller);
    } finally {
      if (scoring === controller) scoring = null;
    }
  };

  const scoreWith = async (controller: AbortController): Promise<void> => {
    const { signal } = controller;
    const first = await api.tokens({ side, first: 0 }, signal);
    const tokens = episodeTokens(first);
    if (scoring !== controller) return;
    state.tokens = tokens;
    changed();
    while (tokens.count < first.total) {
      const before = tokens.count;
      tokens.add(await api.tokens({ side, first: before }, signal));
      if (tokens.count === before) break;
      if (scoring === controller) changed();
    }
    const verdict = await api.score({ side }, signal);
    if (scoring !== controller) return;
    state.verdict = verdict;
    changed();
    const decisions = await api.decisions({ side }, signal);
    if (scoring !== controller) return;
    const isSampled = ({ estimator }: DecisionPoint): boolean => estimator === 'Monte Carlo';
    state.decisions = decisions.filter((point) => !isSampled(point));
    const newer = new Set(state.estimates.map(({ turn }) => turn));
    state.estimates = [...decisions.filter((one) => isSampled(one) && !newer.has(one.turn)), ...state.estimates];
    changed();
    const gains = await api.knownGains({ side }, signal);
    if (scoring !== controller || gains === null) return;
    state.gains ??= gains;
    changed();
  };

  const begin = (): void => {
    if (state.model.state !== 'ready') return;
    provenance = state.model.facts.provenanceId;
    score().catch(failed);
  };

  return {
    state,
    setModel: (model) => {
      const before = state.model;
      state.model = model;
      const sameName = before.state !== 'none' && model.state !== 'none' && before.name === model.name;
      if (model.state === 'ready' || !sameName) state.speaker = speakingText(model);
      const same = model.state === 'ready' && model.facts.provenanceId === provenance;
      // After a death the values stay: they are still those of this model.
      const keeps = same || (sameName && (model.state === 'died' || model.state === 'loading'));
      if (!keeps) forget();
      const whole = state.verdict !== null || scoring !== null;
      if (model.state === 'ready' && !(same && whole)) begin();
      changed();
    },
    restart: () => {
      asked?.abort();
      forget();
      begin();
      changed();
    },
    scored: (event) => {
      state.tokens?.take(event);
      changed();
    },
    run: async (what, question) => {
      if (state.running !== null) return null;
      const controller = new AbortController();
      asked = controller;
      state.running = what;
      changed();
      try {
        return await question(controller.signal);
      } catch (error) {
        failed(error);
        return null;
      } finally {
        asked = null;
        state.running = null;
        changed();
      }
    },
    get scoring() {
      return scoring !== null;
    },
    cancel: () => {
      asked?.abort();
      scoring?.abort();
      scoring = null;
      changed();
    },
  };
}
