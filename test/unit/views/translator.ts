/** vscode.l10n for tests: fills the placeholders {0}, {1} and translates nothing. */
import type { Translator } from '../../../src/host/translator.ts';

export const l10n: Translator = {
  t: (message, ...args) => message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};
