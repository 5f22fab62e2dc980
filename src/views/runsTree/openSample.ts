/**
 * "Open the Sample Run": the runs that come with the extension, unpacked on first use with a progress that can be
 * cancelled, then opened, with the trained HDPO run selected. Works offline and in an empty window.
 * Leaves out where and how they are unpacked (host/sampleRuns.ts).
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { addSampleIndex } from '../../host/sampleIndex.ts';
import { firstRunOf, sampleFolder, sampleIsThere, type SampleFolders } from '../../host/sampleRuns.ts';
import type { Session } from '../../host/session.ts';
import type { RunSummary } from '../../protocol/engine.ts';

/** Opens all sample runs and hands back the one to show; undefined where the user cancelled the unpacking. */
export async function openSample(context: vscode.ExtensionContext, session: Session): Promise<RunSummary | undefined> {
  const folders = {
    shipped: path.join(context.extensionPath, 'media', 'sample'),
    storage: context.globalStorageUri.fsPath,
  };
  // The engine starts and its index is filled while the logs are unpacked. Without the shipped index it reads the logs,
  // which only takes longer; an engine that does not start says so when the runs are opened.
  const others = [
    addSampleIndex(path.join(folders.shipped, 'index'), path.join(folders.storage, 'index')).catch((error: unknown) =>
      session.log.warn(`The index of the sample runs was not added: ${messageOf(error)}`),
    ),
    session.engine.runs({}).catch(() => undefined),
  ];
  const folder = await unpacked(folders);
  await Promise.all(others);
  if (folder === undefined) return undefined;
  const runs = await session.open(folder);
  return runs.find((run) => run.path === firstRunOf(folder)) ?? runs[0];
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
