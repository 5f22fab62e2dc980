/**
 * The badge at the end of a rollout's row: "⚠" and how many of its calls are redundant, where the description may be cut
 * off. VS Code draws badges for resources, so such a row has a resource of a scheme of ours, which nothing opens.
 * Leaves out the number in the description (labels.ts).
 */
import * as vscode from 'vscode';
import type { RolloutRow } from '../../protocol/engine.ts';

const scheme = 'rollout-lens-row';
/** A badge has two characters at most. */
const mostShown = 9;

/** The resource of a rollout's row; null where nothing of it is redundant. */
export function badgeResource({ ref, redundantCalls }: Pick<RolloutRow, 'ref' | 'redundantCalls'>): vscode.Uri | null {
  if (redundantCalls === 0) return null;
  const query = new URLSearchParams({ run: ref.run, redundant: String(redundantCalls) }).toString();
  return vscode.Uri.from({ scheme, path: `/${ref.file}/${ref.row}`, query });
}

/** Draws the badges until disposed. */
export function drawBadges(): vscode.Disposable {
  return vscode.window.registerFileDecorationProvider({
    provideFileDecoration: (uri) => {
      if (uri.scheme !== scheme) return undefined;
      const count = Number(new URLSearchParams(uri.query).get('redundant'));
      const text = count === 1 ? vscode.l10n.t('1 redundant call') : vscode.l10n.t('{0} redundant calls', count);
      return new vscode.FileDecoration(count > mostShown ? '⚠' : `⚠${count}`, text);
    },
  });
}
