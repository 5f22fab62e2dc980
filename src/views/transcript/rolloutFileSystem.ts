/**
 * The read-only file system of scheme `rollout`: transcripts, rests of cut turns and pictures, asked from the engine.
 * Keeps the bytes only until the editor has read them, then marks alone; a rollout that changed on disk gets a later
 * mtime and is read again. Leaves out the commands, and what is drawn over the text.
 */
import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../base/errors.ts';
import type { OpenTranscripts, ShownTranscript } from '../../host/openTranscripts.ts';
import { parseAddress, rolloutScheme, type RolloutAddress } from '../../host/rolloutAddress.ts';
import type { Session, StepsChange } from '../../host/session.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import { fetchImage } from './fetchImage.ts';
import { sameRollout } from './rolloutLabels.ts';
import { imageOf } from './rolloutUri.ts';
import { uriOf } from './showTranscript.ts';

interface Loaded {
  readonly shown: ShownTranscript;
  readonly size: number;
  readonly hash: string;
  /** Null once the editor has read them. */
  bytes: Uint8Array | null;
}

interface Entry {
  readonly uri: vscode.Uri;
  readonly address: RolloutAddress;
  mtime: number;
  loaded: Loaded | null;
  loading: Promise<Loaded> | null;
  /** It is being read again; `again`: and changed meanwhile. */
  reloading: 'no' | 'once' | 'again';
}

/** Documents that were asked for and are in no editor (previews of a quick pick, closed tabs): the newest are kept. */
const keptUnopened = 8;

const newline = 0x0a;

/** Serves transcripts to VS Code and their marks to our views. Dispose it with the extension. */
export class RolloutFileSystem implements vscode.FileSystemProvider, OpenTranscripts {
  private readonly entries = new Map<string, Entry>();
  private readonly changedFiles = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeFile = this.changedFiles.event;
  readonly onDidChange = this.changed.event;

  constructor(private readonly session: Session) {
    this.subscriptions = [
      session.onDidChangeSteps((change) => void this.stepsChanged(change)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.entries.delete(uri.toString())),
    ];
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changedFiles.dispose();
    this.changed.dispose();
    this.entries.clear();
  }

  async shown({ uri, lineCount }: Pick<vscode.TextDocument, 'uri' | 'lineCount'>): Promise<ShownTranscript | null> {
    if (uri.scheme !== rolloutScheme || imageOf(uri.query) !== null) return null;
    try {
      const { shown } = await this.load(uri);
      // Marks of a newer text than the editor shows would stand on the wrong lines.
      return shown.lineCount === lineCount ? shown : null;
    } catch {
      // The editor itself says why this rollout cannot be read.
      return null;
    }
  }

  async refresh(ref: RolloutRef | null): Promise<void> {
    for (const entry of [...this.entries.values()]) {
      if (ref === null || sameRollout(entry.address.ref, ref)) await this.reload(entry);
    }
  }

  uriOf(ref: RolloutRef): vscode.Uri {
    return uriOf(this.session, ref);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const permissions = vscode.FilePermission.Readonly;
    const type = vscode.FileType.File;
    if (imageOf(uri.query) !== null) {
      const { sizeBytes } = await this.answer(uri, (address, image) =>
        this.session.engine.image({ ref: address.ref, path: address.path, image, first: 0 }),
      );
      return { type, ctime: 0, mtime: 0, size: sizeBytes, permissions };
    }
    const { size } = await this.read(uri);
    return { type, ctime: 0, mtime: this.entries.get(uri.toString())?.mtime ?? 0, size, permissions };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    if (imageOf(uri.query) !== null) {
      return this.answer(uri, (address, image) =>
        fetchImage(this.session.engine, { address, image, l10n: vscode.l10n }),
      );
    }
    let loaded = await this.read(uri);
    if (loaded.bytes === null) {
      const entry = this.entries.get(uri.toString());
      if (entry) entry.loaded = null;
      loaded = await this.read(uri);
    }
    const { bytes } = loaded;
    loaded.bytes = null;
    return bytes ?? new Uint8Array();
  }

  watch(): vscode.Disposable {
    // Changes come from the engine, which lists the folders of every shown run.
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.FileNotFound(uri);
  }
  createDirectory(uri: vscode.Uri): never {
    throw readOnly(uri);
  }
  writeFile(uri: vscode.Uri): never {
    throw readOnly(uri);
  }
  delete(uri: vscode.Uri): never {
    throw readOnly(uri);
  }
  rename(uri: vscode.Uri): never {
    throw readOnly(uri);
  }

  private async read(uri: vscode.Uri): Promise<Loaded> {
    try {
      return await this.load(uri);
    } catch (error) {
      throw this.fileError(error);
    }
  }

  private async answer<Result>(
    uri: vscode.Uri,
    ask: (address: RolloutAddress, image: number) => Promise<Result>,
  ): Promise<Result> {
    const address = parseAddress(uri);
    const image = imageOf(uri.query);
    if (address === null || image === null) throw vscode.FileSystemError.FileNotFound(uri);
    try {
      return await ask(address, image);
    } catch (error) {
      throw this.fileError(error);
    }
  }

  /** A sentence for the place where the text would be; a bug goes into the log with its stack. */
  private fileError(error: unknown): vscode.FileSystemError {
    if (error instanceof vscode.FileSystemError) return error;
    if (error instanceof UserError) {
      return vscode.FileSystemError.Unavailable(
        error.action === null ? error.message : `${error.message} ${error.action}`,
      );
    }
    this.session.log.error(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    return vscode.FileSystemError.Unavailable(
      vscode.l10n.t('This rollout cannot be shown: {0} See the log of Rollout Lens.', messageOf(error)),
    );
  }

  private load(uri: vscode.Uri): Promise<Loaded> {
    const entry = this.entryOf(uri);
    if (entry.loaded !== null) return Promise.resolve(entry.loaded);
    entry.loading ??= this.fetch(entry)
      .then((loaded) => {
        entry.loaded = loaded;
        return loaded;
      })
      .finally(() => {
        entry.loading = null;
        this.forgetUnopened();
      });
    return entry.loading;
  }

  private entryOf(uri: vscode.Uri): Entry {
    const key = uri.toString();
    const known = this.entries.get(key);
    if (known) return known;
    const address = parseAddress(uri);
    if (address === null) throw vscode.FileSystemError.FileNotFound(uri);
    const entry: Entry = { uri, address, mtime: Date.now(), loaded: null, loading: null, reloading: 'no' };
    this.entries.set(key, entry);
    return entry;
  }

  private async fetch({ address }: Entry): Promise<Loaded> {
    const { ref, path, rest } = address;
    const { bytes, ...document } = await this.session.engine.transcript({ ref, path, rest });
    let lineCount = 1;
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lineCount += 1;
    const hash = createHash('sha256').update(bytes).digest('base64');
    return { shown: { ...document, address, lineCount }, size: bytes.length, hash, bytes };
  }

  private async stepsChanged({ run, steps }: StepsChange): Promise<void> {
    const touched = [...this.entries.values()].filter(({ address, loaded }) => {
      if (address.ref.run !== run) return false;
      const step = loaded?.shown.explanation?.row.step;
      return steps === null || step === undefined || steps.includes(step);
    });
    // One after the other: a step that is being written touches every open rollout of it.
    for (const entry of touched) await this.reload(entry);
  }

  /** Steps may change more often than a rollout can be read: then it is read once more, not once a change. */
  private async reload(entry: Entry): Promise<void> {
    if (entry.reloading !== 'no') {
      entry.reloading = 'again';
      return;
    }
    do {
      entry.reloading = 'once';
      await this.reloadOnce(entry);
    } while (isWantedAgain(entry));
    entry.reloading = 'no';
  }

  private async reloadOnce(entry: Entry): Promise<void> {
    if (entry.loaded === null) return;
    try {
      const loaded = await this.fetch(entry);
      if (this.entries.get(entry.uri.toString()) !== entry) return;
      const same = loaded.hash === entry.loaded.hash && loaded.size === entry.loaded.size;
      entry.loaded = same ? { ...loaded, bytes: entry.loaded.bytes } : loaded;
      if (!same) {
        entry.mtime = Math.max(Date.now(), entry.mtime + 1);
        this.changedFiles.fire([{ type: vscode.FileChangeType.Changed, uri: entry.uri }]);
      }
      this.changed.fire(entry.uri);
    } catch (error) {
      // What is open stays readable; opening it again says what is wrong.
      this.session.log.debug(`${entry.uri.path}: ${messageOf(error)}`);
    }
  }

  private forgetUnopened(): void {
    const open = new Set(vscode.workspace.textDocuments.map(({ uri }) => uri.toString()));
    const unopened = [...this.entries.keys()].filter((key) => !open.has(key));
    for (const key of unopened.slice(0, Math.max(0, unopened.length - keptUnopened))) this.entries.delete(key);
  }
}

/** A function, since the compiler does not see that `reloading` changes during the await. */
function isWantedAgain({ reloading }: Entry): boolean {
  return reloading === 'again';
}

function readOnly(uri: vscode.Uri): vscode.FileSystemError {
  return vscode.FileSystemError.NoPermissions(vscode.l10n.t('A transcript is read-only: {0}', uri.path));
}
