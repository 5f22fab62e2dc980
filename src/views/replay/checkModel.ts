/**
 * "Check Model Against the CPU…": loads a model in a process of its own, has it make its self-test again, and says the
 * outcome. Leaves out the test (replay/selfTest.ts) and keeping its outcome (startReplayer.ts does, whenever one is loaded).
 */
import * as vscode from 'vscode';
import { isAbort, UserError } from '../../base/errors.ts';
import { withoutLinks } from '../../host/logText.ts';
import type { KnownModel } from '../../host/replayModels.ts';
import type { BackendFacts } from '../../protocol/replay.ts';
import { choiceOf } from './modelSources.ts';
import { makeReplayer } from './startReplayer.ts';

/** What it needs of the extension. */
export interface CheckDependencies {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
}

/** Checks, with progress and cancel; the outcome is said in a notification. */
export async function checkModel({ context, log }: CheckDependencies, { id }: KnownModel): Promise<void> {
  const { l10n } = vscode;
  const { name, choice } = await choiceOf(context, id, null);
  if (choice.kind === 'remote') {
    throw new UserError(l10n.t('A server’s numbers cannot be compared with this machine’s.'));
  }
  // Where the setting says CPU, there would be nothing to compare.
  const provider = choice.provider === 'cpu' ? null : choice.provider;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: l10n.t('Checking {0} against the CPU', name),
    cancellable: true,
  };
  const facts = await vscode.window.withProgress(options, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    const nothing = (): void => undefined;
    const replayer = makeReplayer({
      context,
      log,
      choice: { ...choice, provider, checkAgain: true },
      events: { scored: nothing, branchText: nothing, progress: ({ what }) => progress.report({ message: what }) },
      state: nothing,
    });
    try {
      return await replayer.load(controller.signal);
    } catch (error) {
      if (isAbort(error)) return null;
      throw error;
    } finally {
      replayer.dispose();
    }
  });
  if (facts !== null) void vscode.window.showInformationMessage(withoutLinks(outcomeOf(name, facts)));
}

function outcomeOf(name: string, { provider, selfTest, attempts }: BackendFacts): string {
  const { l10n } = vscode;
  if (selfTest !== null) return l10n.t('{0} runs on {1}. {2}', name, provider, selfTest.sentence);
  if (provider !== 'cpu')
    return l10n.t('{0} runs on {1}; there was no room to compare it with the CPU.', name, provider);
  const reasons = attempts.flatMap(({ failure }) => failure ?? []);
  return [l10n.t('{0} runs on the CPU: there is nothing to compare.', name), ...reasons].join(' ');
}
