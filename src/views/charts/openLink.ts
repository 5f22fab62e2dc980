/**
 * Opens a link to a view of the charts (`vscode://…/open?…`), which anyone may have written: only after the paths were
 * found on this machine, and the user, shown all of them, agreed. Nothing else than opening runs follows from a link.
 * Leaves out the form of a link (chartLink.ts) and the panel.
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { withoutLinks } from '../../host/logText.ts';
import { notify } from '../../host/notify.ts';
import type { Session } from '../../host/session.ts';
import type { AskedView } from '../../protocol/charts.ts';
import { linkPath, linkQuery, readLinkQuery } from './chartLink.ts';

/** Registers the handler; `show` opens the charts with a view. */
export function registerLinks(
  context: vscode.ExtensionContext,
  session: Session,
  show: (view: AskedView) => void,
): void {
  context.subscriptions.push(
    vscode.window.registerUriHandler({
      handleUri: async (uri) => {
        try {
          await openLink(uri, session, show);
        } catch (error) {
          notify(error, session.log);
        }
      },
    }),
  );
}

async function openLink(uri: vscode.Uri, session: Session, show: (view: AskedView) => void): Promise<void> {
  const link = uri.path === linkPath ? readLinkQuery(uri.query) : null;
  if (link === null) throw new UserError(vscode.l10n.t('This link does not name a view of the charts.'));
  for (const path of link.paths) {
    if (!(await exists(path))) {
      throw new UserError(vscode.l10n.t('{0} is not on this machine.', path), vscode.l10n.t('Ask where the log is.'));
    }
  }
  const open = vscode.l10n.t('Open');
  const question = vscode.l10n.t('A link asks to open logs in Rollout Lens. Open them?');
  const detail = withoutLinks(link.paths.join('\n'));
  const agreed = await vscode.window.showInformationMessage(withoutLinks(question), { modal: true, detail }, open);
  if (agreed !== open) return;
  const runs: string[] = [];
  for (const path of link.paths) {
    const known = session.runs.find((run) => run.path === path);
    runs.push(...(known ? [known] : await session.open(path)).map(({ id }) => id));
  }
  show({ runs, view: link.view });
}

/** Puts a link to a view of the charts on the clipboard, and says so, since nothing else shows it. */
export async function copyLink(
  { runs, view }: AskedView,
  session: Session,
  context: vscode.ExtensionContext,
): Promise<void> {
  const paths = runs.flatMap((id) => session.run(id)?.path ?? []);
  if (paths.length !== runs.length || paths.length === 0) {
    throw new UserError(vscode.l10n.t('The charts show no run that a link could name.'));
  }
  const address = `${vscode.env.uriScheme}://${context.extension.id}${linkPath}?${linkQuery({ paths, view })}`;
  await vscode.env.clipboard.writeText(address);
  vscode.window.setStatusBarMessage(vscode.l10n.t('The link to these charts is on the clipboard.'), 5_000);
}

async function exists(path: string): Promise<boolean> {
  return vscode.workspace.fs.stat(vscode.Uri.file(path)).then(
    () => true,
    () => false,
  );
}
