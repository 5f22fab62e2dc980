/**
 * Text of a log, or a path, on its way to places where VS Code reads a markup of its own: quick picks and CodeLens draw
 * `$(name)` as an icon, and notifications make `[text](command:…)` a link that runs a command. Pure (invariant 9).
 * Leaves out Markdown: there log text enters by appendText and appendCodeblock only.
 */

/** One line for a quick pick, in which `$(name)` stays text. */
export function withoutIcons(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('$(', '\\$(');
}

/** The same words for a notification, in which nothing is a link. */
export function withoutLinks(text: string): string {
  return text.replaceAll('](', '] (');
}
