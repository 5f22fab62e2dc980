/**
 * "Open the Sample Run": the runs that come with the extension, unpacked on first use with a progress that can be
 * cancelled, then opened, with the trained HDPO run first and selected. Works offline and in an empty window.
 * Leaves out where and how they are unpacked (host/sampleRuns.ts).
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { firstRunOf, sampleFolder, sampleIsThere, type SampleFolders } from '../../host/sampleRuns.ts';
import type { Session } from '../../host/session.ts';
import type { RunId } from '../../protocol/engine.ts';

/** What opening the sample works with. */
export interface SampleOptions {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  /** Shows a run in the tree; settles once its steps are there. */
  readonly show: (run: RunId) => Promise<unknown>;
}

/**
 * Opens all sample runs and shows the trained HDPO run, nothing where the user cancelled the unpacking. That run is
 * opened by itself first: reading the other five beside it would make a newcomer wait twice as long for its steps.
 */
export async function openSample({ context, session, show }: SampleOptions): Promise<void> {
  const folders = {
    shipped: path.join(context.extensionPath, 'media', 'sample'),
    storage: context.globalStorageUri.fsPath,
  };
  // The engine starts while the logs are unpacked; one that does not says so when the runs are opened.
  const engine = session.engine.runs({}).catch(() => undefined);
  const folder = await unpacked(folders);
  await engine;
  if (folder === undefined) return;
  const [first] = await session.open(firstRunOf(folder));
  if (first !== undefined) await show(first.id);
  await session.open(folder);
}

async function unpacked(folders: SampleFolders): Promise<string | undefined> {
  try {
    // A progress that is over at once would only flicker.
    if (await sampleIsThere(folders)) return await sampleFolder(folders);
    return await withProgress(folders);
  } catch (error) {
    if (isAbort(error)) return undefined;
    throw new UserError(
      vscode.l10n.t('The sample runs cannot be unpacked into {0} ({1}).', folders.storage, messageOf(error)),
      vscode.l10n.t('Check the rights and the free space of that disk.'),
    );
  }
}

async function withProgress(folders: SampleFolders): Promise<string> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Unpacking the sample runs'),
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    let reported = 0;
    return sampleFolder(folders, {
      signal: controller.signal,
      progress: (share) => {
        const percent = Math.floor(share * 100);
        if (percent > reported) progress.report({ increment: percent - reported });
        reported = percent;
      },
    });
  });
}
