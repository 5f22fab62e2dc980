/**
 * Episodes of the shipped sample for replays: its rollouts with what the trainer said of their tokens (logProbs.json), read
 * through the engine as the extension reads them, and the policies that wrote them.
 */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { unpackZip } from '../../../src/host/unpackZip.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { ModelChoice, ReplayEpisode } from '../../../src/protocol/replay.ts';
import { fixtures, numbersIn, objectsOf, shipped } from '../sample/sampleFolders.ts';

/** A rollout of the sample: where it is logged, and the trainer's tokens. */
export interface SampleRollout {
  readonly run: string;
  readonly step: number;
  readonly row: number;
  readonly checkpoint: string;
  readonly tokens: readonly number[];
  readonly said: readonly number[];
  readonly logProbs: readonly number[];
}

/** All rollouts whose log-probs the trainer wrote down. */
export const sampleRollouts: readonly SampleRollout[] = objectsOf(join(fixtures, 'logProbs.json')).map((entry) => ({
  run: String(entry.run),
  step: Number(entry.step),
  row: Number(entry.row),
  checkpoint: String(entry.checkpoint),
  tokens: numbersIn(entry.tokens),
  said: numbersIn(entry.said),
  logProbs: numbersIn(entry.logps),
}));

/** The checkpoints that ship. */
export const checkpoints = ['start', 'hdpo', 'grpo'] as const;

/** The policy of a checkpoint on the CPU; `storage` keeps edited graphs. */
export function checkpointChoice(name: string, storage: string): Extract<ModelChoice, { readonly kind: 'local' }> {
  return {
    kind: 'local',
    folder: join(shipped, 'checkpoints', name),
    variant: null,
    provider: 'cpu',
    chunk: null,
    memoryBudget: null,
    cudaFolder: null,
    storage,
  };
}

/** The sample unpacked, with an engine over the steps that have log-probs. */
export interface SampleEpisodes {
  /** Folder that is removed after the tests; `run` lies below it. */
  folder: string;
  /** Path of a run of which only the wanted steps are there. */
  pathOf(run: string): string;
  /** The episode as the extension gets it. */
  episodeOf(rollout: Pick<SampleRollout, 'run' | 'step' | 'row'>): Promise<ReplayEpisode>;
  /** The episode as a log with per-token arrays would give it: the trainer's ids and log-probs in their turns. */
  loggedEpisodeOf(rollout: SampleRollout): Promise<ReplayEpisode>;
  engine(): Engine;
}

/** Unpacks the sample before the tests of a file and opens it. */
export function openedSample(): SampleEpisodes {
  let engine: Engine | null = null;
  const running = (): Engine => {
    if (engine === null) throw new Error('the sample is not open yet');
    return engine;
  };
  const sample: SampleEpisodes = {
    folder: '',
    pathOf: (run) => join(sample.folder, run),
    engine: running,
    episodeOf: async ({ run, step, row }) => {
      const { handlers, library } = running();
      const { signal } = new AbortController();
      const path = sample.pathOf(run);
      const [opened] = await handlers.open({ path }, signal);
      if (opened === undefined) throw new Error(`no run at ${path}`);
      await library.run(opened.id).whenSettled();
      return handlers.replayEpisode({ ref: { run: opened.id, file: `${step}.jsonl`, row }, path }, signal);
    },
    loggedEpisodeOf: async (rollout) => withLoggedTokens(await sample.episodeOf(rollout), rollout),
  };
  beforeAll(async () => {
    sample.folder = await mkdtemp(join(tmpdir(), 'rollout-lens-replay-'));
    const all = join(sample.folder, 'all');
    await unpackZip(join(shipped, 'trained.zip'), all);
    const wanted = new Set(sampleRollouts.map(({ run, step }) => `${run}/${step}`));
    for (const name of wanted) {
      const [run = '', step = ''] = name.split('/');
      const from = join(all, 'rollout_data', run === 'hdpo' ? '' : 'others', run, `${step}.jsonl`);
      await mkdir(sample.pathOf(run), { recursive: true });
      await cp(from, join(sample.pathOf(run), `${step}.jsonl`));
    }
    await rm(all, { recursive: true });
    const silent = { runsChanged: () => undefined, stepsChanged: () => undefined, log: () => undefined };
    engine = await createEngine({
      storage: join(sample.folder, 'storage'),
      workerPath: null,
      readers: 1,
      tell: silent,
    });
  }, 60_000);
  afterAll(async () => {
    await engine?.dispose();
    await rm(sample.folder, { recursive: true, force: true });
  });
  return sample;
}

/** Spans of sampled tokens are the turns of the policy, in order. */
function withLoggedTokens(episode: ReplayEpisode, { tokens, said, logProbs }: SampleRollout): ReplayEpisode {
  const spans: { first: number; end: number }[] = [];
  for (const [at, flag] of said.entries()) {
    const last = spans.at(-1);
    if (flag !== 1) continue;
    if (last?.end === at) last.end = at + 1;
    else spans.push({ first: at, end: at + 1 });
  }
  let next = 0;
  const turns = episode.turns.map((turn) => {
    if (turn.role !== 'policy' || turn.prompt) return turn;
    const span = spans[next];
    next += 1;
    if (span === undefined) throw new Error('more turns than spans');
    const { first, end } = span;
    return { ...turn, ids: tokens.slice(first, end), logprobs: Float32Array.from(logProbs.slice(first, end)) };
  });
  return { ...episode, turns };
}
