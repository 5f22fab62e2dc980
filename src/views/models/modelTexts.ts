/**
 * What the rows of "Models" say: label, description (about 30 characters are visible, so the outcome of the check comes
 * first), the sentence of a screen reader, and the tooltip as lines. Pure; names of folders appear as plain text only.
 * Leaves out the rows themselves (modelItems.ts).
 */
import { sizeText } from '../../base/numberText.ts';
import type { KnownModel, ModelCheck } from '../../host/replayModels.ts';
import type { Translator } from '../../host/translator.ts';
import type { SelfTest } from '../../protocol/replay.ts';

/** The texts of one row. */
export interface RowTexts {
  readonly label: string;
  readonly description: string;
  readonly spoken: string;
  readonly tooltip: readonly string[];
}

/** "Policy after HDPO" with "webgpu ✓ checked against CPU · 1.9 MB · f32 · bundled". */
export function modelTexts(model: KnownModel, l10n: Translator): RowTexts {
  const { kind, label, sizeBytes, precision, check } = model;
  const parts = [
    stateText(model, l10n),
    check === null ? '' : checkText(check, l10n),
    sizeBytes === null ? '' : sizeText(sizeBytes),
    precision ?? '',
    kindText(kind, l10n),
  ].filter((part) => part !== '');
  return {
    label,
    description: parts.join(' · '),
    spoken: [label, ...parts].join(', '),
    tooltip: [...aboutLines(model, l10n), ...(check === null ? notLoaded(model, l10n) : checkLines(check, l10n))],
  };
}

function kindText(kind: KnownModel['kind'], l10n: Translator): string {
  switch (kind) {
    case 'bundled':
      return l10n.t('bundled');
    case 'server':
      return l10n.t('server');
    case 'folder':
    case 'downloaded':
      // A path and an owner/name say it.
      return '';
  }
}

function stateText({ state }: KnownModel, l10n: Translator): string {
  switch (state) {
    case 'gone':
      return l10n.t('not there any more');
    case 'partial':
      return l10n.t('download broke off');
    case 'there':
      return '';
  }
}

/** Where it runs and what the comparison with the CPU said: "webgpu ✓ checked against CPU". */
export function checkText({ provider, selfTest, attempts }: ModelCheck, l10n: Translator): string {
  if (selfTest !== null) return verdictText(provider, selfTest, l10n);
  const refused = attempts.find((attempt) => attempt.selfTest !== undefined);
  if (refused?.selfTest !== undefined) return `${provider} · ${verdictText(refused.provider, refused.selfTest, l10n)}`;
  return provider === 'cpu' ? provider : l10n.t('{0}, not checked', provider);
}

function verdictText(provider: string, { verdict, chunkLimit }: SelfTest, l10n: Translator): string {
  switch (verdict) {
    case 'same':
      return chunkLimit === null
        ? l10n.t('{0} ✓ checked against CPU', provider)
        : l10n.t('{0} ✓ checked against CPU in short runs', provider);
    case 'slow':
      return l10n.t('{0} ✓ agrees with CPU, but is slower', provider);
    case 'different':
      return l10n.t('{0} ✗ disagrees with CPU', provider);
    case 'not needed':
      return provider;
  }
}

function aboutLines({ kind, name, from, file, folder, others, state }: KnownModel, l10n: Translator): string[] {
  const place = file ?? folder;
  return [
    name,
    kind === 'folder' ? '' : l10n.t('From {0}', from),
    place === null ? '' : place,
    others === 0
      ? ''
      : others === 1
        ? l10n.t('Its folder holds one more precision.')
        : l10n.t('Its folder holds {0} more precisions.', others),
    state === 'partial' ? l10n.t('What was loaded is kept; a click goes on with the download.') : '',
    state === 'gone' ? l10n.t('Its folder is not there, or holds no such model any more.') : '',
  ].filter((line) => line !== '');
}

function notLoaded({ kind, state }: KnownModel, l10n: Translator): string[] {
  if (kind === 'server' || state !== 'there') return [];
  return [
    l10n.t(
      'Not loaded on this machine yet. “Check Model Against the CPU…” says where it runs and whether its numbers are right.',
    ),
  ];
}

function checkLines(check: ModelCheck, l10n: Translator): string[] {
  const { provider, precision, selfTest, attempts, hash, runtime, atMs } = check;
  const when = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
  return [
    l10n.t('Runs on {0}, precision {1}.', provider, precision),
    selfTest === null ? '' : selfTest.sentence,
    ...attempts.map((attempt) => (attempt.failure === null ? '' : `${attempt.provider}: ${attempt.failure}`)),
    runtime === null ? l10n.t('Loaded {0} UTC.', when) : l10n.t('Loaded {0} UTC with ONNX Runtime {1}.', when, runtime),
    hash === null ? '' : l10n.t('SHA-256 of its files: {0}', hash),
  ].filter((line) => line !== '');
}
