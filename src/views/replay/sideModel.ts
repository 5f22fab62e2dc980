/**
 * One of the player's two models: which it is, how it stands, and what it said of the open episode, so that a page that
 * comes back gets the same values without scoring again. Owns the model's process.
 * Leaves out the page and the memory of runs (playerPanel.ts).
 */
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { setting } from '../../host/config.ts';
import type { ReplayerKeeper, ReplayerState } from '../../host/replayerKeeper.ts';
import type { PlayerModel } from '../../protocol/player.ts';
import type {
  BackendFacts,
  LogprobThresholds,
  LogprobVerdict,
  ReplayEpisode,
  ReplayerEvents,
} from '../../protocol/replay.ts';
import type { ParamsOf } from '../../protocol/rpc.ts';
import { choiceOf } from './modelSources.ts';
import { makeReplayer } from './startReplayer.ts';

type Scored = ParamsOf<ReplayerEvents['scored']>;

/** What the panel is told. */
export interface SideListeners {
  readonly changed: (model: PlayerModel) => void;
  readonly scored: (event: Scored) => void;
  readonly branchText: ReplayerEvents['branchText'];
  readonly progress: ReplayerEvents['progress'];
}

/** What it needs of the extension. */
export interface SideDependencies {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
}

/** A model of the player. */
export interface SideModel {
  readonly id: string | null;
  readonly model: PlayerModel;
  readonly facts: BackendFacts | null;
  /** Takes a model (null: none) and loads it; settles when it stands or failed, and says so through `changed`. */
  take(id: string | null, reason?: string | null): Promise<void>;
  /** Loads it again, on the CPU where asked. */
  restart(on: 'same' | 'cpu'): Promise<void>;
  setEpisode(episode: ReplayEpisode): void;
  /** The process, loaded, with the episode open. UserError where no model is chosen. */
  ready(signal: AbortSignal): Promise<ReplayerKeeper>;
  /** The verdict; values come through `scored`, those that are known at once. */
  score(signal: AbortSignal): Promise<LogprobVerdict>;
  dispose(): void;
}

/** Alternatives a token that are shown. */
const topAlternatives = 6;

/** The thresholds of the settings. */
export function logprobThresholds(): LogprobThresholds {
  return {
    sameMaximum: setting('replay.sameMaximum'),
    sameMean16: setting('replay.sameMean'),
    sameP99of16: setting('replay.sameP99'),
    nearMean: setting('replay.nearMean'),
  };
}

interface Scoring {
  readonly episode: ReplayEpisode;
  readonly provenanceId: string;
  readonly slices: Scored[];
  readonly controller: AbortController;
  verdict: Promise<LogprobVerdict>;
  waiting: number;
  done: boolean;
}

/** Starts without a model. */
export function makeSideModel({ context, log }: SideDependencies, listeners: SideListeners): SideModel {
  let id: string | null = null;
  let name = '';
  let model: PlayerModel = { state: 'none', reason: null };
  let keeper: ReplayerKeeper | null = null;
  let facts: BackendFacts | null = null;
  let episode: ReplayEpisode | null = null;
  let scoring: Scoring | null = null;
  let taken = 0;

  const show = (next: PlayerModel): void => {
    model = next;
    listeners.changed(next);
  };
  const heard = (state: ReplayerState): void => {
    switch (state.state) {
      case 'stopped':
        // Ended after a while without questions: the next one starts it, and nothing has changed for the page.
        return;
      case 'loading':
        show({ state: 'loading', name });
        return;
      case 'ready':
        facts = state.facts;
        show({ state: 'ready', name, facts: state.facts });
        return;
      case 'died': {
        const message = vscode.l10n.t('The process of the model ended ({0}).', state.reason);
        const action = vscode.l10n.t('What was scored stays. It starts again with the next question.');
        show({ state: 'died', name, message, action, offerCpu: state.offerCpu });
      }
    }
  };
  /** A bug is one line here, and its stack in the log. */
  const showFailure = (error: unknown): void => {
    const [line = ''] = messageOf(error).split('\n', 1);
    const message = error instanceof UserError ? error.message : vscode.l10n.t('The model cannot be used: {0}', line);
    const action = error instanceof UserError ? error.action : null;
    const offerCpu = keeper?.state.state === 'died' && keeper.state.offerCpu;
    show({ state: 'failed', name, message, action, offerCpu });
  };
  const load = async (wanted: string, provider: 'cpu' | null): Promise<void> => {
    taken += 1;
    const mine = taken;
    keeper?.dispose();
    keeper = null;
    scoring = null;
    facts = null;
    try {
      const found = await choiceOf(context, wanted, provider);
      if (mine !== taken) return;
      name = found.name;
      show({ state: 'loading', name });
      const made = makeReplayer({
        context,
        log,
        choice: found.choice,
        state: (state) => {
          if (mine === taken) heard(state);
        },
        events: {
          scored: (event) => {
            if (mine !== taken) return;
            scoring?.slices.push(event);
            listeners.scored(event);
          },
          branchText: (event) => {
            if (mine === taken) listeners.branchText(event);
          },
          progress: (event) => {
            if (mine === taken) listeners.progress(event);
          },
        },
      });
      keeper = made;
      await made.load();
    } catch (error) {
      if (mine !== taken || isAbort(error)) return;
      log.warn(`${name}: ${messageOf(error)}`);
      showFailure(error);
    }
  };
  const ready: SideModel['ready'] = async (signal) => {
    if (keeper === null || episode === null) throw noModel();
    await keeper.open(episode, signal);
    return keeper;
  };
  const beginScoring = (open: ReplayerKeeper, of: ReplayEpisode, provenanceId: string): Scoring => {
    const controller = new AbortController();
    const begun: Scoring = {
      episode: of,
      provenanceId,
      slices: [],
      controller,
      verdict: open.score({ thresholds: logprobThresholds(), top: topAlternatives }, controller.signal),
      waiting: 0,
      done: false,
    };
    begun.verdict.then(
      () => {
        begun.done = true;
      },
      () => {
        if (scoring === begun) scoring = null;
      },
    );
    scoring = begun;
    return begun;
  };

  return {
    get id() {
      return id;
    },
    get model() {
      return model;
    },
    get facts() {
      return facts;
    },
    take: async (wanted, reason = null) => {
      id = wanted;
      if (wanted !== null) return load(wanted, null);
      taken += 1;
      keeper?.dispose();
      keeper = null;
      facts = null;
      scoring = null;
      show({ state: 'none', reason });
    },
    restart: async (on) => {
      if (id === null) return;
      if (on === 'cpu' || keeper === null) return load(id, on === 'cpu' ? 'cpu' : null);
      try {
        await keeper.load();
        if (keeper.state.state === 'ready') heard(keeper.state);
      } catch (error) {
        if (isAbort(error)) return;
        showFailure(error);
      }
    },
    setEpisode: (next) => {
      if (next !== episode) {
        scoring?.controller.abort();
        scoring = null;
      }
      episode = next;
    },
    ready,
    score: async (signal) => {
      const open = await ready(signal);
      const of = episode;
      if (facts === null || of === null) throw noModel();
      const known = scoring;
      const fits = known !== null && known.episode === of && known.provenanceId === facts.provenanceId;
      if (fits) for (const slice of known.slices) listeners.scored(slice);
      else known?.controller.abort();
      const own = fits ? known : beginScoring(open, of, facts.provenanceId);
      own.waiting += 1;
      const left = (): void => {
        own.waiting -= 1;
        if (own.waiting === 0 && !own.done) own.controller.abort();
      };
      signal.addEventListener('abort', left, { once: true });
      try {
        return await own.verdict;
      } finally {
        signal.removeEventListener('abort', left);
      }
    },
    dispose: () => {
      taken += 1;
      keeper?.dispose();
      keeper = null;
    },
  };
}

function noModel(): UserError {
  return new UserError(vscode.l10n.t('No model is chosen.'), vscode.l10n.t('Choose one with "Choose Replay Model…".'));
}
