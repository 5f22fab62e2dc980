/**
 * The page of a webview as text: a strict content security policy, one script and one style sheet of ours, and the
 * nonce where the toolkit looks for it. Nothing from a log is ever part of it (invariant 9).
 * Leaves out the panel (panel.ts) and what the page draws (webview/).
 */

/** What a page is made of; addresses are webview addresses, texts are ours. */
export interface PageParts {
  readonly nonce: string;
  readonly cspSource: string;
  readonly scriptAddress: string;
  readonly styleAddress: string | null;
  readonly title: string;
  /** Language of the texts, for screen readers ("en"). */
  readonly language: string;
}

/** The content security policy of every page of ours: no remote host, no unsafe-inline, no unsafe-eval. */
export function contentSecurityPolicy({ nonce, cspSource }: Pick<PageParts, 'nonce' | 'cspSource'>): string {
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `img-src ${cspSource} blob: data:`,
    `font-src ${cspSource}`,
    `connect-src ${cspSource}`,
    `worker-src blob:`,
  ].join('; ');
}

/** The whole page. Every part is escaped, though none of them comes from a log. */
export function pageSource(parts: PageParts): string {
  const style =
    parts.styleAddress === null
      ? ''
      : `\n<link rel="stylesheet" nonce="${parts.nonce}" href="${escaped(parts.styleAddress)}">`;
  return `<!DOCTYPE html>
<html lang="${escaped(parts.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(contentSecurityPolicy(parts))}">
<meta property="csp-nonce" content="${parts.nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(parts.title)}</title>${style}
</head>
<body>
<script nonce="${parts.nonce}" src="${escaped(parts.scriptAddress)}"></script>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
