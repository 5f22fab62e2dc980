/**
 * The keys of the whole page: Escape closes the card, else goes back from what is looked at, Alt with the left arrow goes
 * back. Leaves out the keys of charts and lists, which come first, and what back means (drill.ts).
 */
import { isWhole, type Drill } from './drill.ts';

/** What the keys do. */
export interface PageKeysOptions {
  /** Closes the card; false where there was none. */
  readonly dismiss: () => boolean;
  readonly drill: () => Drill;
  readonly back: () => void;
}

/** Listens as long as the page lives. */
export function listenForBack({ dismiss, drill, back }: PageKeysOptions): void {
  document.addEventListener('keydown', (event) => {
    const isEscape = event.key === 'Escape';
    if (!(isEscape && dismiss())) {
      if (!isEscape && !(event.altKey && event.key === 'ArrowLeft')) return;
      if (event.ctrlKey || event.metaKey || drill().before.length === 0) return;
      // At the top of the path Escape would lead down again, into what was left.
      if (isEscape && (event.altKey || isWhole(drill()))) return;
      back();
    }
    event.preventDefault();
    // Else VS Code goes back too.
    event.stopPropagation();
  });
}
