/**
 * "Install CUDA Support…": says what is needed, from where and how large it is, then downloads ONNX Runtime's CUDA
 * libraries of exactly our version, or takes them from a folder. Nothing is asked of the network before the click.
 * Leaves out the transfer (host/replayerCuda.ts) and loading them (the replayer).
 */
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { sizeText } from '../../base/numberText.ts';
import { withoutLinks } from '../../host/logText.ts';
import {
  copyCuda,
  CudaProblem,
  cudaLibraries,
  downloadCuda,
  findCudaPackage,
  type CudaLibraries,
} from '../../host/replayerCuda.ts';
import { cudaStorage } from './modelSources.ts';

/** Runs the command; true where the libraries are there now. */
export async function installCuda(context: vscode.ExtensionContext): Promise<boolean> {
  const { l10n } = vscode;
  const libraries = cudaLibraries(process.platform, process.arch);
  if (libraries === null) {
    throw new UserError(
      l10n.t('CUDA libraries are only needed, and only there, for Linux on x64.'),
      l10n.t('Here WebGPU, DirectML or Core ML come with the extension.'),
    );
  }
  const download = l10n.t('Download…');
  const folder = l10n.t('Take from a Folder…');
  const detail = l10n.t(
    'Needed on this machine: an NVIDIA driver, CUDA 12 and cuDNN 9. The extension adds the CUDA provider of ONNX Runtime {0} ({1}).',
    libraries.version,
    Object.keys(libraries.files).join(', '),
  );
  const items = [
    {
      label: download,
      detail: l10n.t(
        '{0} {1} from {2}; its size is shown before anything is loaded',
        libraries.packageName,
        libraries.version,
        libraries.feed,
      ),
    },
    {
      label: folder,
      detail: l10n.t(
        'For machines without a network: {0} of version {1}',
        Object.keys(libraries.files).join(', '),
        libraries.version,
      ),
    },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: l10n.t('Install CUDA Support'),
    placeHolder: detail,
    ignoreFocusOut: true,
  });
  try {
    if (chosen?.label === download) return await downloaded(libraries, cudaStorage(context));
    if (chosen?.label === folder) return await copied(libraries, cudaStorage(context));
    return false;
  } catch (error) {
    if (isAbort(error)) return false;
    throw told(error, libraries);
  }
}

async function downloaded(libraries: CudaLibraries, folder: string): Promise<boolean> {
  const { l10n } = vscode;
  const controller = new AbortController();
  const from = await findCudaPackage(libraries, controller.signal);
  const load = l10n.t('Download');
  const question = l10n.t('Download {0} for CUDA 12?', sizeText(from.sizeBytes));
  const detail = l10n.t('{0}\n\nIts SHA-512 is checked; the libraries are kept in {1}.', from.url, folder);
  const agreed = await vscode.window.showInformationMessage(withoutLinks(question), { modal: true, detail }, load);
  if (agreed !== load) return false;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: l10n.t('Downloading CUDA support'),
    cancellable: true,
  };
  await vscode.window.withProgress(options, async (progress, token) => {
    token.onCancellationRequested(() => controller.abort());
    let reported = 0;
    await downloadCuda({
      libraries,
      from,
      folder,
      signal: controller.signal,
      progress: (done, of) => {
        const percent = Math.floor((done / Math.max(1, of)) * 100);
        if (percent > reported) progress.report({ increment: percent - reported, message: sizeText(done) });
        reported = Math.max(reported, percent);
      },
    });
  });
  return true;
}

async function copied(libraries: CudaLibraries, folder: string): Promise<boolean> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: vscode.l10n.t('Take the Libraries'),
  });
  const from = chosen?.[0]?.fsPath;
  if (from === undefined) return false;
  await copyCuda(libraries, from, folder);
  return true;
}

function told(error: unknown, libraries: CudaLibraries): unknown {
  const { l10n } = vscode;
  const byHand = l10n.t(
    'Or get {0} {1} elsewhere, unpack it, and take the libraries from that folder.',
    libraries.packageName,
    libraries.version,
  );
  if (!(error instanceof CudaProblem)) {
    if (error instanceof UserError) return error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const again = l10n.t('What was loaded is kept: the next download goes on from there.');
    return new UserError(
      l10n.t('The CUDA libraries could not be loaded ({0}).', messageOf(cause)),
      `${again} ${byHand}`,
    );
  }
  switch (error.kind) {
    case 'no feed':
      return new UserError(l10n.t('The feed does not answer as it should: {0}.', error.what), byHand);
    case 'no package':
      return new UserError(l10n.t('The feed names no size and hash of {0}.', error.what), byHand);
    case 'wrong hash':
      return new UserError(l10n.t('{0} is not what the feed says it is: its hash differs.', error.what), byHand);
    case 'missing file':
      return new UserError(l10n.t('{0} is missing.', error.what), byHand);
  }
}
