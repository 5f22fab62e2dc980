/**
 * Theme colours as CSS variables, and a signal when the theme changes. SVG uses the variables directly and follows by
 * itself; what is measured or drawn from computed values redraws on the signal.
 */

/** CSS colour of a theme colour id such as `charts.green`, with the foreground as fallback. */
export function themeColour(id: string): string {
  return `var(--vscode-${id.replaceAll('.', '-')}, var(--vscode-foreground))`;
}

/** Calls back after VS Code switched the theme (it changes the classes and variables of the body). */
export function onThemeChange(changed: () => void): void {
  new MutationObserver(changed).observe(document.body, {
    attributes: true,
    attributeFilter: ['class', 'data-vscode-theme-id'],
  });
}
