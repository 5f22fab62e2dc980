// What goes wrong inside our own web pages: CSP violations, console errors and uncaught exceptions.
//
// A bare workbench logs several errors of its own, so only those count whose source is a bundle of ours or a document
// that VS Code made for a webview. Leaves out: errors of the extension itself, which are in its log channel.
import type { BrowserContext, ConsoleMessage, Page } from 'playwright-core';

/** One thing that went wrong in a webview of ours. */
export interface PageProblem {
  readonly kind: 'csp' | 'console' | 'exception';
  readonly text: string;
  /** The address of the script or document it comes from. */
  readonly source: string;
}

const marker = 'rollout-lens-csp-violation ';

/**
 * VS Code fills a webview by document.open() and write(), which drops every listener of that document: so the listener
 * is put back after each open(). Text, because tests compile without DOM types.
 */
const cspListener = `(() => {
  const listen = (target) => target.addEventListener('securitypolicyviolation', (event) => {
    const { effectiveDirective, blockedURI, sourceFile, lineNumber, documentURI } = event;
    console.error(${JSON.stringify(marker)} + JSON.stringify({
      text: effectiveDirective + ' blocked ' + blockedURI + (sourceFile ? ' at ' + sourceFile + ':' + lineNumber : ''),
      source: sourceFile || documentURI,
      document: location.href,
    }));
  });
  listen(document);
  const open = Document.prototype.open;
  Document.prototype.open = function (...argv) {
    const result = open.apply(this, argv);
    listen(this);
    return result;
  };
})();`;

/** Starts collecting; the array grows as problems appear. Call before the page is opened. */
export async function collectProblems(context: BrowserContext, page: Page): Promise<readonly PageProblem[]> {
  const problems: PageProblem[] = [];
  await context.addInitScript(cspListener);
  page.on('console', (message) => {
    const problem = problemOfMessage(message);
    if (problem !== undefined) problems.push(problem);
  });
  page.on('pageerror', (error) => {
    const source = error.stack?.split('\n').find((line) => isOurs(line));
    if (source !== undefined) problems.push({ kind: 'exception', text: error.message, source: source.trim() });
  });
  return problems;
}

function problemOfMessage(message: ConsoleMessage): PageProblem | undefined {
  if (message.type() !== 'error') return undefined;
  const text = message.text();
  const source = message.location().url;
  if (text.startsWith(marker)) {
    const violation = JSON.parse(text.slice(marker.length)) as { text: string; source: string; document: string };
    const ours = isOurs(violation.source) || isWebviewDocument(violation.document);
    return ours ? { kind: 'csp', text: violation.text, source: violation.source } : undefined;
  }
  return isOurs(source) ? { kind: 'console', text, source } : undefined;
}

/** Our bundles are served from the folder the VSIX was unpacked into: …/rollout-lens.rollout-lens-0.1.0…/dist/NAME.js */
function isOurs(address: string): boolean {
  return /rollout-lens\.rollout-lens-[^/]+\/dist\//.test(address);
}

/** A document that VS Code made for a webview of ours: the inner one takes the outer one's address, which names us. */
function isWebviewDocument(address: string): boolean {
  return address.includes('extensionId=rollout-lens.rollout-lens');
}
