/**
 * A round of judging: says how many requests it takes, roughly how many tokens, and to whom they go, asks, and lets the
 * engine ask the judge until it is done or cancelled. The prompt is the user's, kept in the workspace's state.
 * Leaves out sending (host/judge.ts) and what is asked (the engine's).
 */
import * as vscode from 'vscode';
import { isAbort, UserError } from '../../base/errors.ts';
import { countText, pluralText } from '../../base/numberText.ts';
import { withoutLinks } from '../../host/logText.ts';
import type { Session } from '../../host/session.ts';
import type { CurateQuestion, JudgeChoice, JudgeOutcome, JudgePrompt } from '../../protocol/curatePage.ts';
import type { CurationStage, JudgeEstimate } from '../../protocol/curation.ts';
import { judgePrompts } from '../../protocol/judgePrompt.ts';
import type { Works } from './works.ts';

/** What judging works with. */
export interface JudgingDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  readonly works: Works;
}

/** A prompt is a few paragraphs; each is sent with every row. */
const mostCharacters = 20_000;

/** The prompt of a stage as the user has it. */
export function promptOf({ context }: Pick<JudgingDependencies, 'context'>, stage: CurationStage): JudgePrompt {
  const own = context.workspaceState.get(keyOf(stage));
  const text = typeof own === 'string' ? own : judgePrompts[stage];
  return { text, standard: text === judgePrompts[stage] };
}

/** Keeps the user's prompt of a stage; null, or none but spaces, goes back to ours. */
export async function keepPrompt(
  dependencies: Pick<JudgingDependencies, 'context'>,
  stage: CurationStage,
  text: string | null,
): Promise<JudgePrompt> {
  const own = text === null || text.trim() === '' ? undefined : text.slice(0, mostCharacters);
  await dependencies.context.workspaceState.update(keyOf(stage), own);
  return promptOf(dependencies, stage);
}

function keyOf(stage: CurationStage): string {
  return `judge.prompt.${stage}`;
}

/** Asks the user, then the judge; null where the user did not agree. */
export async function judgeRows(
  { runs, config, judge }: CurateQuestion & { readonly judge: string },
  dependencies: JudgingDependencies,
): Promise<JudgeOutcome | null> {
  const { session, works } = dependencies;
  const { l10n } = vscode;
  if (!vscode.workspace.isTrusted) {
    throw new UserError(
      l10n.t('In Restricted Mode nothing is sent to a judge.'),
      l10n.t('Trust the workspace with "Workspaces: Manage Workspace Trust".'),
    );
  }
  const chosen = (await session.judge.choices()).judges.find(({ id }) => id === judge);
  if (chosen === undefined) {
    throw new UserError(l10n.t('This judge is not offered any more.'), l10n.t('Choose another one.'));
  }
  const prompt = promptOf(dependencies, config.stage).text;
  const estimate = await session.engine.estimateJudge({ runs, config, prompt, judge });
  const concurrency = session.judge.concurrency();
  if (estimate.requests === 0) {
    // Nothing is sent, but from now on the answers of this judge to this prompt count.
    const outcome = await session.engine.judge({ runs, config, prompt, judge, concurrency });
    return { ...outcome, cancelled: false };
  }
  if (!(await agreed(chosen, estimate))) return null;
  const round = session.judge.openRound(judge);
  let answered = 0;
  try {
    return await works.run('judging', l10n.t('Asking {0}', chosen.label), async (signal) => {
      const listener = session.onDidProgressCuration(({ what, done }) => {
        if (what === 'judging') answered = done;
      });
      try {
        const outcome = await session.engine.judge({ runs, config, prompt, judge, concurrency }, signal);
        return { ...outcome, cancelled: false };
      } finally {
        listener.dispose();
      }
    });
  } catch (error) {
    if (!isAbort(error)) throw error;
    return { judged: answered, failed: 0, firstFailure: null, cancelled: true };
  } finally {
    round.dispose();
  }
}

async function agreed(judge: JudgeChoice, estimate: JudgeEstimate): Promise<boolean> {
  const { l10n } = vscode;
  const ask = l10n.t('Ask the Judge');
  const question = l10n.t('Send {0} to {1}?', pluralText(estimate.requests, 'request'), judge.label);
  const detail = [
    l10n.t(
      'About {0} tokens of prompts, and at most {1} tokens of answers.',
      aboutText(estimate.promptTokens),
      aboutText(estimate.answerTokens),
    ),
    ...(estimate.cached === 0
      ? []
      : [l10n.t('Answered already, and not sent: {0}.', pluralText(estimate.cached, 'row'))]),
    judge.kind === 'endpoint'
      ? l10n.t('The texts of these rows go to that endpoint, and to nobody else.')
      : l10n.t('The texts of these rows go to the provider of that model. VS Code may ask you as well.'),
  ].join('\n');
  const options = { modal: true, detail: withoutLinks(detail) };
  return (await vscode.window.showInformationMessage(withoutLinks(question), options, ask)) === ask;
}

/** A rough number: three digits. */
function aboutText(tokens: number): string {
  return countText(Number(tokens.toPrecision(3)));
}
