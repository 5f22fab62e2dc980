/**
 * Webview panels of ours: what they may load, their page, and typed calls over their message channel. A view creates
 * or restores the panel and hands it in here. retainContextWhenHidden stays off: a page restores itself from setState.
 * Leaves out what a page shows; nothing is sent to a hidden page (it asks again when it becomes visible).
 */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { Port } from '../protocol/rpc.ts';
import { pageSource } from './pageSource.ts';

/** Names of the bundles below dist/, and the title that a screen reader says. */
export interface PanelPage {
  readonly script: string;
  /** Null where the script brings its own styles. */
  readonly style: string | null;
  readonly title: string;
}

/** Options for `createWebviewPanel` and for a restored panel's `webview.options`: our own files only. */
export function webviewOptions(extensionUri: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: localRoots(extensionUri) };
}

function localRoots(extensionUri: vscode.Uri): vscode.Uri[] {
  return [vscode.Uri.joinPath(extensionUri, 'dist'), vscode.Uri.joinPath(extensionUri, 'media')];
}

/** Loads the page into a panel, new or restored. Open the port first, so that no message is lost. */
export function loadPage(webview: vscode.Webview, extensionUri: vscode.Uri, page: PanelPage): void {
  const addressOf = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', name)).toString();
  webview.options = webviewOptions(extensionUri);
  webview.html = pageSource({
    nonce: randomBytes(18).toString('base64url'),
    cspSource: webview.cspSource,
    scriptAddress: addressOf(page.script),
    styleAddress: page.style === null ? null : addressOf(page.style),
    title: page.title,
    language: vscode.env.language,
  });
}

/** The host's end of a panel's message channel; closed when the panel is. */
export function portOfPanel(panel: vscode.WebviewPanel): Port {
  let closed = false;
  panel.onDidDispose(() => {
    closed = true;
  });
  return {
    send: (message) => {
      if (closed) throw new Error('the panel is closed');
      // A page that is hidden or still loading does not take the message; the page asks again when it is shown.
      panel.webview.postMessage(message).then(undefined, () => undefined);
    },
    onMessage: (listener) => {
      panel.webview.onDidReceiveMessage(listener);
    },
    onClose: (listener) => {
      panel.onDidDispose(listener);
    },
  };
}
