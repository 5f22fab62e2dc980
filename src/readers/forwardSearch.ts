/**
 * Searching one needle from ever later positions: remembers the last hit, and that there is none, so that a scan over
 * hostile text (100,000 opening tags, no closing one) stays linear. Shared by the readers of marked-up text.
 */

/** First index of the needle at or after `at`, -1 where there is none; positions asked for must not decrease. */
export type ForwardSearch = (at: number) => number;

/** A search for `needle` in `text`. */
export function forwardSearch(text: string, needle: string): ForwardSearch {
  let hit = -2;
  return (at) => {
    if (hit !== -1 && hit < at) hit = text.indexOf(needle, at);
    return hit;
  };
}

/** Searches for any number of needles in one text, each remembered. */
export function forwardSearches(text: string): (needle: string, at: number) => number {
  const searches = new Map<string, ForwardSearch>();
  return (needle, at) => {
    let search = searches.get(needle);
    if (search === undefined) {
      search = forwardSearch(text, needle);
      searches.set(needle, search);
    }
    return search(at);
  };
}
