/**
 * The one thing that pure text functions need of vscode.l10n: its `t`. They take it as a parameter named `l10n`, so
 * that they run without VS Code and that every string is still found by the tool that collects `l10n.t("…")`.
 */

/** vscode.l10n, or in a test anything that fills the placeholders {0}, {1}. */
export interface Translator {
  t(message: string, ...args: (string | number | boolean)[]): string;
}
