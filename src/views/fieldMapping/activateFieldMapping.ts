/**
 * The field mapping form as a panel: opened by a command for a log, restored after a reload, one at a time. Answers the
 * page out of the engine and owns the dialogs of export and import.
 * Leaves out the page (webview/fieldMapping), guessing, and where mappings are kept (both the engine's).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { asRunId, asUri, type CommandTable } from '../../host/commandTable.ts';
import { notOnDisk } from '../../host/notOnDisk.ts';
import { loadPage, portOfPanel, webviewOptions } from '../../host/panel.ts';
import type { Session } from '../../host/session.ts';
import type { FieldMapping } from '../../model/fieldMapping.ts';
import type { MappingEvents, MappingHostApi } from '../../protocol/fieldMapping.ts';
import { openConnection } from '../../protocol/rpc.ts';
import { mappingFrom, mappingText } from './mappingFile.ts';

/** View type of the panel, as `onWebviewPanel:` in the manifest names it. */
const viewType = 'rolloutLens.fieldMapping';

/** What the form needs of the extension. */
export interface FieldMappingDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
}

/** The panel while it is open. */
interface OpenPanel {
  readonly show: (path: string) => void;
}

let open: OpenPanel | null = null;

/** Registers the serializer, so that an open form comes back after a reload. */
export function activateFieldMapping(context: vscode.ExtensionContext, session: Session): void {
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (restored) => {
        adopt(restored, { context, session }, null);
        return Promise.resolve();
      },
    }),
  );
}

/** The command of the form, merged into the table of views/commands.ts. */
export function fieldMappingCommands({ context, session }: FieldMappingDependencies): CommandTable {
  return {
    'rolloutLens.mapFields': async (target) => {
      const path = await logOf(session, target);
      if (path === undefined) return;
      // Asked here, where a message is seen: a form without a record helps nobody. Of a folder it is about one log.
      const { file } = await session.engine.mappingForm({ path });
      if (open) {
        open.show(file);
        return;
      }
      const title = vscode.l10n.t('Map Fields');
      const options = webviewOptions(context.extensionUri);
      const panel = vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, options);
      adopt(panel, { context, session }, file);
    },
  };
}

/** The log that an argument names (a file, a run), that is in front of the user, or that is chosen in a dialog. */
async function logOf(session: Session, target: unknown): Promise<string | undefined> {
  const uri = asUri(target) ?? (target === undefined ? activeLog() : null);
  if (uri !== null) {
    if (uri.scheme !== 'file') throw notOnDisk(uri);
    return uri.fsPath;
  }
  const id = asRunId(target);
  const run = id === null ? undefined : session.run(id);
  if (run !== undefined) return run.path;
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Map Fields of a Log'),
    openLabel: vscode.l10n.t('Map Fields'),
    filters: { [vscode.l10n.t('Logs')]: ['jsonl', 'ndjson', 'json', 'parquet', 'gz', 'zst'] },
  });
  return chosen?.[0]?.fsPath;
}

function activeLog(): vscode.Uri | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (!(input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom)) return null;
  return input.uri.scheme === 'file' && /\.(jsonl|ndjson|parquet)(\.\w+)?$/iu.test(input.uri.path) ? input.uri : null;
}

function adopt(panel: vscode.WebviewPanel, { context, session }: FieldMappingDependencies, first: string | null): void {
  let asked = first;
  const connection = openConnection(portOfPanel(panel));
  connection.serve<MappingHostApi>({
    form: ({ path }, signal) => {
      const wanted = asked ?? path;
      asked = null;
      if (wanted === null) throw new UserError(vscode.l10n.t('Choose a log with "Rollout Lens: Map Fields…".'));
      return session.engine.mappingForm({ path: wanted }, signal);
    },
    preview: (params, signal) => session.engine.previewMapping(params, signal),
    save: async ({ path, mapping }) => {
      const { folder, reopen } = await session.engine.saveMapping({ path, mapping });
      const opened = await Promise.all(
        reopen.map((again) =>
          session.open(again).catch((error: unknown) => {
            // Without a mapping the log may be unknown again: then it stays closed, which is what was asked for.
            if (mapping === null && error instanceof UserError) return [];
            throw error;
          }),
        ),
      );
      if (mapping !== null)
        return vscode.l10n.t('The mapping was kept for {0}, and its logs are read with it.', folder);
      return opened.flat().length > 0
        ? vscode.l10n.t('The mapping of {0} was removed; its logs are read as guessed.', folder)
        : vscode.l10n.t('The mapping of {0} was removed; its logs are not known without one.', folder);
    },
    exportMapping: async ({ mapping }) => {
      const target = await vscode.window.showSaveDialog({
        filters: { JSON: ['json'] },
        defaultUri: startOf('field-mapping.json'),
      });
      if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(mappingText(mapping), 'utf8'));
      return target !== undefined;
    },
    importMapping: ({ names }) => importMapping(names),
  });
  const events = connection.emitter<MappingEvents>();
  const mine: OpenPanel = {
    show: (path) => {
      // A hidden page is gone, and asks for its log when it is shown again.
      if (panel.visible) events.logAsked({ path });
      else asked = path;
      panel.reveal();
    },
  };
  open = mine;
  panel.onDidDispose(() => {
    if (open === mine) open = null;
    connection.dispose();
  });
  const page = { script: 'fieldMapping.js', style: 'fieldMapping.css', title: panel.title };
  loadPage(panel.webview, context.extensionUri, page);
}

async function importMapping(names: readonly string[]): Promise<FieldMapping | null> {
  const chosen = await vscode.window.showOpenDialog({ filters: { JSON: ['json'] }, defaultUri: startOf('') });
  const [file] = chosen ?? [];
  if (file === undefined) return null;
  const mapping = mappingFrom(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)), names);
  if (mapping !== null) return mapping;
  throw new UserError(
    vscode.l10n.t('{0} holds no mapping of fields.', file.fsPath),
    vscode.l10n.t('Choose a file that "Export…" wrote.'),
  );
}

function startOf(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(process.cwd());
  return vscode.Uri.joinPath(folder, name);
}
