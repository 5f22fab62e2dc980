/**
 * What went wrong, or why nothing happens: one line that stays in sight however far the page is scrolled, until the next
 * question or another episode. Leaves out what is told of a model (modelBar.ts).
 */
import { element } from '../ui/dom.ts';
import { errorText } from './errorText.ts';

/** The line on the page. */
export interface Notice {
  readonly node: HTMLElement;
  /** A failure; a question that was cancelled is none. */
  show(error: unknown): void;
  say(text: string): void;
  clear(): void;
}

/** Makes an empty line. */
export function makeNotice(): Notice {
  const node = element('p', { class: 'problem notice', role: 'alert', hidden: true });
  const say = (text: string): void => {
    node.textContent = text;
    node.hidden = false;
  };
  return {
    node,
    say,
    show: (error) => {
      if (error instanceof Error && error.name === 'AbortError') return;
      say(errorText(error));
    },
    clear: () => {
      node.hidden = true;
      node.textContent = '';
    },
  };
}
