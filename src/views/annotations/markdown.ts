/**
 * Hover blocks as Markdown. Log text enters by appendText and appendCodeblock only (invariant 9), and only the commands
 * that a hover links to are trusted. Leaves out what is said (hoverText.ts).
 */
import * as vscode from 'vscode';
import type { HoverBlock, HoverLink } from './hoverBlock.ts';

/** One hover. */
export function hoverOf(blocks: readonly HoverBlock[], range?: vscode.Range): vscode.Hover | null {
  if (blocks.length === 0) return null;
  const markdown = new vscode.MarkdownString();
  const commands = new Set(blocks.flatMap(linksOf).map(({ command }) => command));
  if (commands.size > 0) markdown.isTrusted = { enabledCommands: [...commands] };
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
      case 'link':
        appendLink(markdown, block);
        break;
      case 'links':
        if (block.text !== '') markdown.appendText(`${block.text} `);
        for (const [at, link] of block.links.entries()) {
          if (at > 0) markdown.appendText(' · ');
          appendLink(markdown, link);
        }
        break;
    }
  }
  return new vscode.Hover(markdown, range);
}

function linksOf(block: HoverBlock): readonly HoverLink[] {
  return block.kind === 'link' ? [block] : block.kind === 'links' ? block.links : [];
}

function appendLink(markdown: vscode.MarkdownString, { text, command, argument }: HoverLink): void {
  // encodeURIComponent leaves parentheses alone, and one of them would end the link.
  const encoded = encodeURIComponent(JSON.stringify([argument])).replace(/[()]/g, (found) =>
    found === '(' ? '%28' : '%29',
  );
  markdown.appendMarkdown('[');
  markdown.appendText(text);
  markdown.appendMarkdown(`](command:${command}?${encoded})`);
}
