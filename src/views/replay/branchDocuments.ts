/**
 * A branch beside the record: two read-only documents that are the same up to the turn where the branch begins, shown in
 * VS Code's diff. They are made anew from the log and the kept branches whenever they are read, so a diff survives a
 * reload. Log text and the model's text are plain text there. Leaves out keeping branches (branchStore.ts).
 */
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import type { KeptBranch, PlayerKept } from '../../protocol/player.ts';
import { playerTexts } from '../../protocol/playerTexts.ts';
import type { BranchSample } from '../../protocol/replay.ts';
import { branchScheme, branchUri, parseBranchUri } from './branchAddress.ts';
import type { BranchStore } from './branchStore.ts';
import { branchTexts } from './branchTexts.ts';

/** What the documents are made from. */
export interface BranchSources {
  readonly engine: Pick<Session['engine'], 'replayEpisode'>;
  readonly branches: BranchStore;
}

const mostDocuments = 40;

/** Registers the documents. */
export function registerBranchDocuments(context: vscode.ExtensionContext, sources: BranchSources): void {
  context.subscriptions.push(
    vscode.workspace.registerFileSystemProvider(branchScheme, branchFiles(sources), {
      isReadonly: true,
      isCaseSensitive: true,
    }),
  );
}

/** Opens the diff of a sample in a column. */
export async function showBranchDiff(
  kept: PlayerKept,
  { name, result }: KeptBranch,
  { sample, viewColumn }: { readonly sample: BranchSample; readonly viewColumn: vscode.ViewColumn },
): Promise<void> {
  const label = `${name}, ${playerTexts.sampleTitle(sample.arm, sample.sample)}`;
  const { arm } = sample;
  const left = branchUri(vscode.l10n.t('recorded'), { kept, id: result.id, sample: null });
  const right = branchUri(label, { kept, id: result.id, sample: { arm, sample: sample.sample } });
  const title = vscode.l10n.t('recorded ↔ {0}', label);
  await vscode.commands.executeCommand('vscode.diff', vscode.Uri.from(left), vscode.Uri.from(right), title, {
    viewColumn,
  });
}

function branchFiles({ engine, branches }: BranchSources): vscode.FileSystemProvider {
  const read = new Map<string, Promise<Uint8Array>>();
  const changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const textOf = async (uri: vscode.Uri): Promise<Uint8Array> => {
    const address = parseBranchUri(uri);
    if (address === null) throw vscode.FileSystemError.FileNotFound(uri);
    const { kept, id, sample } = address;
    const branch = (await branches.all(kept)).find(({ result }) => result.id === id);
    if (branch === undefined) throw vscode.FileSystemError.Unavailable(vscode.l10n.t('This branch is gone.'));
    const episode = await engine.replayEpisode(kept).catch((error: unknown) => {
      throw vscode.FileSystemError.Unavailable(error instanceof UserError ? error.message : messageOf(error));
    });
    const { samples } = branch.result;
    const wanted = samples.find((one) => one.arm === sample?.arm && one.sample === sample.sample) ?? samples[0];
    if (wanted === undefined) throw vscode.FileSystemError.Unavailable(vscode.l10n.t('This branch is gone.'));
    const { recorded, branched } = branchTexts(episode, branch.result, wanted);
    return new TextEncoder().encode(sample === null ? recorded : branched);
  };
  /** VS Code asks for size and text one after the other: both are of one reading. */
  const bytesOf = (uri: vscode.Uri): Promise<Uint8Array> => {
    const key = uri.toString();
    const known = read.get(key);
    if (known !== undefined) return known;
    const reading = textOf(uri);
    read.set(key, reading);
    reading.catch(() => read.delete(key));
    for (const oldest of read.keys()) if (read.size > mostDocuments) read.delete(oldest);
    return reading;
  };
  const never = (uri: vscode.Uri): never => {
    throw vscode.FileSystemError.NoPermissions(uri);
  };
  return {
    onDidChangeFile: changed.event,
    stat: async (uri) => ({
      type: vscode.FileType.File,
      ctime: 0,
      mtime: 0,
      size: (await bytesOf(uri)).length,
      permissions: vscode.FilePermission.Readonly,
    }),
    readFile: async (uri) => {
      const bytes = await bytesOf(uri);
      read.delete(uri.toString());
      return bytes;
    },
    watch: () => changed.event(() => undefined),
    readDirectory: never,
    createDirectory: never,
    writeFile: never,
    delete: never,
    rename: never,
  };
}
