/**
 * Tool-free samples for `curate`: for each prompt that lacks some, its first policy turn is sampled without tools by a local
 * model, and what came is kept beside the index, so that a run that was cut off goes on.
 * Leaves out sampling and checking answers (src/replay) and pass@k (analysis/curation).
 */
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { pluralText } from '../base/numberText.ts';
import type { Library } from '../engine/library.ts';
import { readEpisode } from '../engine/readEpisode.ts';
import { replayEpisode } from '../engine/replayEpisode.ts';
import { createRolloutReader } from '../engine/rolloutReader.ts';
import type { CurationApi, CurationConfig, ToolFreePrompt } from '../protocol/curation.ts';
import type { RunId } from '../protocol/engine.ts';
import type { BranchRequest, BranchResult } from '../protocol/replay.ts';
import type { Handlers } from '../protocol/rpc.ts';
import { openModel } from '../replay/openModel.ts';
import { createReplaySession, type ReplaySession } from '../replay/replaySession.ts';
import { problem, sentenceOf } from './command.ts';
import { cacheFolder } from './openLogs.ts';

/** What samples are made with. */
export interface Generating {
  /** Folder of the ONNX model. */
  readonly model: string;
  readonly handlers: Handlers<CurationApi>;
  readonly library: Library;
  readonly signal: AbortSignal;
}

const pagePrompts = 500;
/** A tool-free answer is short; a longer one was not going to end. */
const mostTokens = 1_024;

/** Generates what lacks; prompts that do not fit are problems, not the end. */
export async function generateToolFree(
  question: { readonly runs: readonly RunId[]; readonly config: CurationConfig },
  { model, handlers, library, signal }: Generating,
): Promise<void> {
  const prompts: ToolFreePrompt[] = [];
  for (let total = 1; prompts.length < total;) {
    const page = await handlers.toolFreeWanted({ ...question, first: prompts.length, count: pagePrompts }, signal);
    if (page.rows.length === 0) break;
    prompts.push(...page.rows);
    total = page.total;
  }
  if (prompts.length === 0) return;
  problem(`generates tool-free samples of ${pluralText(prompts.length, 'prompt')} with ${model}`);
  const session = await sessionOf(model, signal);
  const reader = createRolloutReader(library.contents);
  try {
    for (const [done, prompt] of prompts.entries()) {
      signal.throwIfAborted();
      try {
        const run = library.run(prompt.ref.run);
        const found = await readEpisode(run, prompt.ref, { reader, signal });
        const episode = await replayEpisode({ run, ref: prompt.ref, episode: found, reader, signal });
        const turn = episode.turns.find(({ role }) => role === 'policy')?.turn;
        if (turn === undefined) throw new UserError('The rollout has no turn of the policy.');
        await session.open(episode);
        const request: BranchRequest = {
          id: prompt.key,
          turn,
          intervention: { kind: 'no tools' },
          arms: 'intervention',
          samples: Math.max(1, question.config.toolFreeSamples - prompt.have),
          // Samples that are there already were drawn with lower seeds.
          seed: 1 + prompt.have,
          temperature: episode.temperature ?? 1,
          topP: episode.topP ?? 1,
          maximumTokens: mostTokens,
        };
        const { samples, provenanceId, how } = await withoutTools(session, request, signal);
        const own = samples
          .filter(({ arm }) => arm === 'intervention')
          .map(({ text, answer, correct }) => ({ text, answer, correct }));
        await handlers.keepToolFree(
          { key: prompt.key, model: `${session.facts.name}${how}`, provenanceId, samples: own },
          signal,
        );
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problem(`error: ${prompt.ref.file}: record ${prompt.ref.row + 1}: ${sentenceOf(error)}`);
      }
      process.stderr.write(`${done + 1} of ${prompts.length} prompts\n`);
    }
  } finally {
    await session.dispose();
  }
}

/** Tools are taken out of the prompt; where the log does not show them there, calls are banned, and the name says so. */
async function withoutTools(
  session: ReplaySession,
  request: BranchRequest,
  signal: AbortSignal,
): Promise<BranchResult & { readonly how: string }> {
  try {
    return { ...(await session.branch(request, signal)), how: '' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const banned = { ...request, intervention: { kind: 'no call' as const } };
    return { ...(await session.branch(banned, signal)), how: ' (calls banned)' };
  }
}

async function sessionOf(folder: string, signal: AbortSignal): Promise<ReplaySession> {
  const nobody = (): void => undefined;
  const choice = {
    kind: 'local' as const,
    folder,
    variant: null,
    provider: null,
    chunk: null,
    memoryBudget: null,
    cudaFolder: null,
    storage: join(cacheFolder(), 'models'),
  };
  const request = (): Promise<never> => Promise.reject(new Error('a local model asks no server'));
  const { backend, tokens } = await openModel(choice, { signal, tell: nobody, request });
  const tell = { scored: nobody, branchText: nobody, progress: nobody, log: nobody };
  return createReplaySession({ backend, tokens, tell });
}
