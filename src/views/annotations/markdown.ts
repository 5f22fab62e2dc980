/**
 * Hover blocks as Markdown. Log text enters by appendText and appendCodeblock only (invariant 9), and only the commands
 * that a hover links to are trusted. Leaves out what is said (hoverText.ts).
 */
import * as vscode from 'vscode';
import type { HoverBlock } from './hoverText.ts';

/** One hover. */
export function hoverOf(blocks: readonly HoverBlock[], range?: vscode.Range): vscode.Hover | null {
  if (blocks.length === 0) return null;
  const markdown = new vscode.MarkdownString();
  const commands = blocks.filter((block) => block.kind === 'link').map(({ command }) => command);
  if (commands.length > 0) markdown.isTrusted = { enabledCommands: commands };
  for (const [index, block] of blocks.entries()) {
    if (index > 0) markdown.appendMarkdown('\n\n');
    switch (block.kind) {
      case 'own':
      case 'log':
        markdown.appendText(block.text);
        break;
      case 'code':
        markdown.appendCodeblock(block.text, 'plaintext');
        break;
      case 'link': {
        // encodeURIComponent leaves parentheses alone, and one of them would end the link.
        const argument = encodeURIComponent(JSON.stringify([block.argument])).replace(/[()]/g, (found) =>
          found === '(' ? '%28' : '%29',
        );
        markdown.appendMarkdown('[');
        markdown.appendText(block.text);
        markdown.appendMarkdown(`](command:${block.command}?${argument})`);
        break;
      }
    }
  }
  return new vscode.Hover(markdown, range);
}
