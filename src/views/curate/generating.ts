/**
 * Tool-free samples of the base model, generated here where no log has them: for each prompt that lacks some, its first
 * policy turn is sampled without tools by a chosen model, and the engine keeps what came. What was generated is kept when
 * it is cancelled. Leaves out sampling and judging answers (the replayer's) and pass@k (the engine's).
 */
import * as vscode from 'vscode';
import { isAbort, UserError } from '../../base/errors.ts';
import { countText, pluralText } from '../../base/numberText.ts';
import { setting } from '../../host/config.ts';
import { withoutLinks } from '../../host/logText.ts';
import type { OfferedModel, ReplayModels } from '../../host/replayModels.ts';
import type { ReplayerKeeper } from '../../host/replayerKeeper.ts';
import { runPathOf } from '../../host/runPath.ts';
import type { Session } from '../../host/session.ts';
import type { CurateQuestion, GenerateOutcome } from '../../protocol/curatePage.ts';
import type { ToolFreePrompt } from '../../protocol/curation.ts';
import type { BranchRequest } from '../../protocol/replay.ts';
import type { Works } from './works.ts';

/** What generating works with. */
export interface GeneratingDependencies {
  readonly session: Session;
  readonly works: Works;
  readonly models: ReplayModels;
}

/** Prompts a question to the engine. */
const pagePrompts = 500;

/** Asks which model, says what it takes, and generates; null where the user did not agree or nothing is lacking. */
export async function generateToolFree(
  question: CurateQuestion,
  { session, works, models }: GeneratingDependencies,
): Promise<GenerateOutcome | null> {
  const { l10n } = vscode;
  let outcome: GenerateOutcome = { generated: 0, withoutCall: 0, failed: 0, firstFailure: null, cancelled: false };
  const { total } = await session.engine.toolFreeWanted({ ...question, first: 0, count: 1 });
  if (total === 0) return outcome;
  const model = await models.choose(l10n.t('Model for Tool-Free Samples'));
  if (model === null || !(await agreed(model, total, question))) return null;
  const keeper = model.start();
  try {
    await works.run('generating', l10n.t('Generating with {0}', model.name), async (signal, report) => {
      const prompts = await allWanted(question, session, signal);
      report(0, prompts.length);
      const { name } = await keeper.load(signal);
      for (const prompt of prompts) {
        try {
          const how = await generateOne(prompt, { question, session, keeper, model: name, signal });
          const { generated, withoutCall } = outcome;
          outcome = { ...outcome, generated: generated + 1, withoutCall: withoutCall + (how === 'no call' ? 1 : 0) };
        } catch (error) {
          // One prompt that does not fit must not end the round; a process that is gone must.
          if (!(error instanceof UserError) || keeper.state.state === 'died') throw error;
          outcome = { ...outcome, failed: outcome.failed + 1, firstFailure: outcome.firstFailure ?? error.message };
        }
        report(outcome.generated + outcome.failed, prompts.length);
      }
    });
    return outcome;
  } catch (error) {
    if (!isAbort(error)) throw error;
    return { ...outcome, cancelled: true };
  } finally {
    keeper.dispose();
  }
}

async function allWanted(
  question: CurateQuestion,
  session: Session,
  signal: AbortSignal,
): Promise<readonly ToolFreePrompt[]> {
  const prompts: ToolFreePrompt[] = [];
  for (;;) {
    const page = { first: prompts.length, count: pagePrompts };
    const { rows, total } = await session.engine.toolFreeWanted({ ...question, ...page }, signal);
    prompts.push(...rows);
    if (rows.length === 0 || prompts.length >= total) return prompts;
  }
}

interface OneOptions {
  readonly question: CurateQuestion;
  readonly session: Session;
  readonly keeper: ReplayerKeeper;
  readonly model: string;
  readonly signal: AbortSignal;
}

/** How tools were kept away: taken out of the prompt, or never called. */
type ToolFreeKind = 'no tools' | 'no call';

async function generateOne(prompt: ToolFreePrompt, options: OneOptions): Promise<ToolFreeKind> {
  const { key, ref, have } = prompt;
  const { question, session, keeper, model, signal } = options;
  const episode = await session.engine.replayEpisode({ ref, path: runPathOf(session, ref.run) }, signal);
  const first = episode.turns.find(({ role }) => role === 'policy');
  if (first === undefined) throw new UserError(vscode.l10n.t('The rollout has no turn of the policy.'));
  await keeper.open(episode, signal);
  const sample = (kind: ToolFreeKind) => {
    const request: BranchRequest = {
      id: key,
      turn: first.turn,
      intervention: { kind },
      arms: 'intervention',
      // What is kept of a model is replaced. The same seed gives the same samples and more behind them, so that prompts of
      // which some could not be judged get enough at the second time.
      samples: question.config.toolFreeSamples * (have === 0 ? 1 : 2),
      seed: 1,
      temperature: episode.temperature ?? 1,
      topP: episode.topP ?? 1,
      maximumTokens: Math.max(1, Math.floor(setting('replay.maximumTokens'))),
    };
    return keeper.branch({ request }, signal);
  };
  let kind: ToolFreeKind = 'no tools';
  const { samples, provenanceId } = await sample(kind).catch((error: unknown) => {
    // Where the log does not show the tools, they cannot be taken out; a call can still be kept from being made.
    if (!(error instanceof UserError) || keeper.state.state === 'died') throw error;
    kind = 'no call';
    return sample(kind);
  });
  const own = samples
    .filter(({ arm }) => arm === 'intervention')
    .map(({ text, answer, correct }) => ({ text, answer, correct }));
  await session.engine.keepToolFree({ key, model, provenanceId, samples: own });
  return kind;
}

async function agreed(model: OfferedModel, prompts: number, { config }: CurateQuestion): Promise<boolean> {
  const { l10n } = vscode;
  const generate = l10n.t('Generate');
  const question = l10n.t('Generate tool-free samples with {0}?', model.name);
  const detail = [
    l10n.t(
      'Up to {0} for each of {1}, at most {2} tokens each.',
      pluralText(config.toolFreeSamples, 'sample'),
      pluralText(prompts, 'prompt'),
      countText(setting('replay.maximumTokens')),
    ),
    model.server === null
      ? l10n.t('The model runs on this machine; nothing is sent.')
      : l10n.t('The prompts go to {0}, and to nobody else.', model.server),
    l10n.t('What was generated is kept when you cancel.'),
  ].join('\n');
  const options = { modal: true, detail: withoutLinks(detail) };
  return (await vscode.window.showInformationMessage(withoutLinks(question), options, generate)) === generate;
}
