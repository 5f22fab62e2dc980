/**
 * Whether a part of the page is in view: what is out of sight neither loads nor draws, and what is only near is drawn when
 * there is time. Owned by the figures and the list.
 * Leaves out what they do about it.
 */

/** Where a part is: in the window, within reach of it, or further away. */
export type Sight = 'in' | 'near' | 'out';

/** What to do when a part comes near or into view. */
export interface SightEvents {
  /** The first time that it is near, before `onView`. */
  readonly onFirst: () => void;
  /** Each time. */
  readonly onView: () => void;
}

/** The distance at which a part is near, so that it is drawn when it arrives. */
const ahead = '200px';

/** Watches a part of the page; the answer says where it is now. */
export function watchSight(node: Element, { onFirst, onView }: SightEvents): () => Sight {
  let near = false;
  let inside = false;
  let seen = false;
  new IntersectionObserver(
    (entries) => {
      near = entries.at(-1)?.isIntersecting ?? false;
      if (!near) return;
      if (!seen) {
        seen = true;
        onFirst();
      }
      onView();
    },
    { rootMargin: ahead },
  ).observe(node);
  new IntersectionObserver((entries) => {
    inside = entries.at(-1)?.isIntersecting ?? false;
    if (inside && seen) onView();
  }).observe(node);
  return () => (!near ? 'out' : inside ? 'in' : 'near');
}
