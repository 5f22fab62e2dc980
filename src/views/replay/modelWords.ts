/**
 * A model in a few words, where one is chosen. Leaves out the rows of the view (views/models).
 */
import * as vscode from 'vscode';
import { sizeText } from '../../base/numberText.ts';
import type { KnownModel } from '../../host/replayModels.ts';

/** "a toy policy of the sample · 1.9 MB · f32", "downloaded · 230 MB · q4f16", "/models/mine · 1.2 GB". */
export function modelDetail({ kind, from, sizeBytes, precision }: KnownModel): string {
  const size = [sizeBytes === null ? '' : sizeText(sizeBytes), precision ?? ''];
  return [wordOf(kind, from), ...size].filter((word) => word !== '').join(' · ');
}

function wordOf(kind: KnownModel['kind'], from: string): string {
  switch (kind) {
    case 'bundled':
      return vscode.l10n.t('a toy policy of the sample');
    case 'downloaded':
      return vscode.l10n.t('downloaded');
    case 'folder':
    case 'server':
      return from;
  }
}
