/**
 * Keeps the replayer of one model: a child process that is started with the first question, loads the model, takes the
 * episode that was open, and is started again after a death, at most three times in five minutes and each time a little
 * later. It ends when nothing was asked for a while. Knows nothing of VS Code.
 * Leaves out which model (replayerModels.ts) and the network it asks for (replayerNetwork.ts).
 */
import { UserError } from '../base/errors.ts';
import type {
  AlignedEpisode,
  BackendFacts,
  ModelChoice,
  NetworkApi,
  ReplayEpisode,
  ReplayerApi,
  ReplayerEvents,
} from '../protocol/replay.ts';
import type { Client, Handlers } from '../protocol/rpc.ts';
import { keepChild } from './childKeeper.ts';
import type { Child } from './childProcess.ts';

/** How a replayer stands; `died` says whether the CPU is worth a try. */
export type ReplayerState =
  | { readonly state: 'stopped' }
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly facts: BackendFacts }
  | { readonly state: 'died'; readonly reason: string; readonly offerCpu: boolean };

/** The sentences that the owner says, in its language. */
export interface ReplayerMessages {
  readonly died: (reason: string) => { readonly message: string; readonly action: string };
  readonly tooOften: (reason: string) => { readonly message: string; readonly action: string };
}

/** What the keeper needs from its owner. */
export interface ReplayerOptions {
  readonly choice: ModelChoice;
  readonly start: () => Promise<Child>;
  readonly network: Handlers<NetworkApi>;
  readonly events: { readonly [K in keyof ReplayerEvents]: ReplayerEvents[K] };
  readonly state: (state: ReplayerState) => void;
  readonly messages: ReplayerMessages;
  readonly times?: Partial<ReplayerTimes>;
}

/** Times in milliseconds. */
export interface ReplayerTimes {
  /** Deaths older than this are forgotten. */
  readonly windowMs: number;
  /** Wait before the start after the first death; doubled for each further one. */
  readonly backOffMs: number;
  /** How long a cancelled run may go on. */
  readonly cancelGraceMs: number;
  /** How long a process without questions is kept. */
  readonly idleMs: number;
}

const usualTimes: ReplayerTimes = { windowMs: 300_000, backOffMs: 500, cancelGraceMs: 2_000, idleMs: 600_000 };
const mostDeaths = 3;

/** The questions about an episode that is open. */
export type EpisodeQuestions = Omit<Client<ReplayerApi>, 'load' | 'open'>;

/** The replayer as its owner holds it. */
export interface ReplayerKeeper extends EpisodeQuestions {
  readonly state: ReplayerState;
  readonly pid: number | undefined;
  /** Loads the model where it is not loaded. */
  load(signal?: AbortSignal): Promise<BackendFacts>;
  /** Makes an episode the current one, also of a process that is started later, and gives its first tokens. */
  open(episode: ReplayEpisode, signal?: AbortSignal): Promise<TokenSliceOf>;
  /** Further tokens of the current episode. */
  more(first: number, signal?: AbortSignal): Promise<TokenSliceOf>;
  stop(): void;
  dispose(): void;
}

type TokenSliceOf = AlignedEpisode & { readonly first: number; readonly total: number };

/** Keeps the replayer of a model; nothing is started before the first question. */
export function keepReplayer(options: ReplayerOptions): ReplayerKeeper {
  const times = { ...usualTimes, ...options.times };
  const deaths: number[] = [];
  let state: ReplayerState = { state: 'stopped' };
  let facts: BackendFacts | null = null;
  let episode: ReplayEpisode | null = null;
  let slice: TokenSliceOf | null = null;
  let gpuDeaths = 0;
  let lastReason = '';
  let pending = 0;
  let idle: NodeJS.Timeout | undefined;

  const setState = (next: ReplayerState) => {
    state = next;
    options.state(next);
  };

  const start = async (): Promise<Child> => {
    while (deaths.length > 0 && Date.now() - (deaths[0] ?? 0) > times.windowMs) deaths.shift();
    if (deaths.length >= mostDeaths) {
      const { message, action } = options.messages.tooOften(lastReason);
      throw new UserError(message, action);
    }
    if (deaths.length > 0) await wait(times.backOffMs * 2 ** (deaths.length - 1));
    setState({ state: 'loading' });
    return options.start();
  };

  const onGpu = (): boolean => {
    if (options.choice.kind === 'remote' || options.choice.provider === 'cpu') return false;
    return facts === null || facts.provider !== 'cpu';
  };

  const keeper = keepChild<ReplayerApi>({
    start,
    attach: (connection) => {
      connection.serve<NetworkApi>(options.network);
      connection.on<ReplayerEvents>(options.events);
    },
    prepare: async (client) => {
      facts = await client.load({ choice: options.choice });
      const wanted = episode;
      const opened = wanted === null ? null : await client.open({ episode: wanted, first: 0 });
      if (wanted === episode) slice = opened;
      setState({ state: 'ready', facts });
    },
    state: (child, reason) => {
      if (child === 'stopped') {
        slice = null;
        setState({ state: 'stopped' });
      }
      if (child !== 'died') return;
      deaths.push(Date.now());
      lastReason = reason ?? '?';
      if (onGpu()) gpuDeaths += 1;
      facts = null;
      slice = null;
      setState({ state: 'died', reason: lastReason, offerCpu: gpuDeaths >= 2 });
    },
    diedMessage: (reason) => options.messages.died(reason),
    cancelGraceMs: times.cancelGraceMs,
  });

  /** Counts questions, so that a process that is asked nothing can go. */
  const ask = async <Result>(question: () => Promise<Result>): Promise<Result> => {
    clearTimeout(idle);
    pending += 1;
    try {
      return await question();
    } finally {
      pending -= 1;
      if (pending === 0) {
        idle = setTimeout(() => {
          keeper.stop();
        }, times.idleMs);
        idle.unref();
      }
    }
  };
  const { client } = keeper;

  return {
    get state() {
      return state;
    },
    get pid() {
      return keeper.pid;
    },
    load: (signal) =>
      ask(async () => {
        await keeper.ready(signal);
        if (facts === null) throw new Error('the model has no facts');
        return facts;
      }),
    open: (wanted, signal) =>
      ask(async () => {
        if (episode !== wanted) slice = null;
        episode = wanted;
        // A process that is started by this question opens it by itself.
        await keeper.ready(signal);
        const opened = slice ?? (await client.open({ episode: wanted, first: 0 }, signal));
        if (episode === wanted) slice = opened;
        return opened;
      }),
    more: (first, signal) => ask(() => client.open({ episode: null, first }, signal)),
    score: (params, signal) => ask(() => client.score(params, signal)),
    decisions: (params, signal) => ask(() => client.decisions(params, signal)),
    estimate: (params, signal) => ask(() => client.estimate(params, signal)),
    branch: (params, signal) => ask(() => client.branch(params, signal)),
    gains: (params, signal) => ask(() => client.gains(params, signal)),
    stop: () => {
      keeper.stop();
    },
    dispose: () => {
      clearTimeout(idle);
      keeper.dispose();
    },
  };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
