/**
 * Starts the process of one model: its bundle, its folder, the program that runs it, and the sentences that are said when
 * it ends. Leaves out how it is kept (host/replayerKeeper.ts).
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../base/errors.ts';
import { startChild, type Child } from '../../host/childProcess.ts';
import { setting } from '../../host/config.ts';
import { defaultModel, modelsOf } from '../../host/modelsInFolder.ts';
import { keepReplayer, type ReplayerKeeper, type ReplayerState } from '../../host/replayerKeeper.ts';
import { replayerNetwork } from '../../host/replayerNetwork.ts';
import type { BackendFacts, ModelChoice, ReplayerEvents } from '../../protocol/replay.ts';
import { rememberCheck } from './modelChecks.ts';
import { replayStorage } from './modelSources.ts';
import { serverKey } from './serverKey.ts';

/** What a replayer is made from. */
export interface ReplayerParts {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly choice: ModelChoice;
  readonly events: Omit<{ readonly [K in keyof ReplayerEvents]: ReplayerEvents[K] }, 'log'>;
  readonly state: (state: ReplayerState) => void;
}

/** A replayer that starts with its first question. */
export function makeReplayer({ context, log, choice, events, state }: ReplayerParts): ReplayerKeeper {
  const { l10n } = vscode;
  const learn = (facts: BackendFacts): void => {
    if (choice.kind !== 'local') return;
    rememberLoaded(context, choice, facts).catch((error: unknown) => log.warn(`models: ${messageOf(error)}`));
  };
  const keeper = keepReplayer({
    choice,
    start: () => start(context, log),
    network: replayerNetwork({
      endpoint: choice.kind === 'remote' ? choice.endpoint : null,
      key: () => (choice.kind === 'remote' ? serverKey(context, choice.endpoint) : Promise.resolve(null)),
      refused: (url) => l10n.t('{0} is not an address of the replay server of the settings.', url),
      failed: (url, reason) => ({
        message: l10n.t('The replay server does not answer: {0} ({1}).', url, reason),
        action: l10n.t('Check the setting rolloutLens.replay.endpoint, and whether the server runs.'),
      }),
    }),
    events: { ...events, log: ({ level, message }) => log[level](`replayer: ${message}`) },
    state: (next) => {
      if (next.state === 'died') log.error(`The replayer ended: ${next.reason}`);
      else log.info(`The replayer is ${next.state} (process ${keeper.pid ?? '?'}).`);
      if (next.state === 'ready') learn(next.facts);
      state(next);
    },
    messages: {
      died: (reason) => ({
        message: l10n.t('The process of the model ended ({0}).', reason),
        action: l10n.t('It starts again with the next question.'),
      }),
      tooOften: (reason) => ({
        message: l10n.t('The process of the model ended three times in five minutes (last: {0}).', reason),
        action: l10n.t('Choose the CPU or another model, or try again in a few minutes.'),
      }),
    },
  });
  return keeper;
}

/** The view of models says what was learnt of this one. */
async function rememberLoaded(
  context: vscode.ExtensionContext,
  choice: Extract<ModelChoice, { readonly kind: 'local' }>,
  facts: BackendFacts,
): Promise<void> {
  const models = await modelsOf(choice.folder);
  const model = choice.variant === null ? defaultModel(models) : models.find(({ suffix }) => suffix === choice.variant);
  if (model !== undefined) await rememberCheck(context, choice, { facts, file: model.file });
}

async function start(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Promise<Child> {
  const folder = replayStorage(context);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError(
      vscode.l10n.t('The folder for replays cannot be made: {0} ({1}).', folder, messageOf(error)),
      vscode.l10n.t('Check the rights and the free space of that disk.'),
    );
  }
  return startChild({
    modulePath: path.join(context.extensionPath, 'dist', 'replayMain.cjs'),
    argv: [],
    workingFolder: folder,
    output: (line) => log.info(`replayer: ${line}`),
    executable: setting('replay.nodePath') || null,
  });
}
