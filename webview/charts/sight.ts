/**
 * Whether a part of the page is in view: what is out of sight neither loads nor draws. Owned by the figures and the list.
 * Leaves out what they do about it.
 */

/** What to do when a part comes into view. */
export interface SightEvents {
  /** The first time, before `onView`. */
  readonly onFirst: () => void;
  /** Each time. */
  readonly onView: () => void;
}

/** The distance at which a part counts as in view, so that it is drawn when it arrives. */
const ahead = '200px';

/** Watches a part of the page; the answer says whether it is in view now. */
export function watchSight(node: Element, { onFirst, onView }: SightEvents): () => boolean {
  let inView = false;
  let seen = false;
  new IntersectionObserver(
    (entries) => {
      inView = entries.at(-1)?.isIntersecting ?? false;
      if (!inView) return;
      if (!seen) {
        seen = true;
        onFirst();
      }
      onView();
    },
    { rootMargin: ahead },
  ).observe(node);
  return () => inView;
}
