/**
 * Elements from code: the only way this webview makes DOM, so that log text is only ever a text node (invariant 9).
 * Leaves out templates and diffing: views here are small and redraw a part at a time.
 */

/** Attributes of an element; null or false leaves one out, true writes it empty. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** A child: an element, or text that is never parsed. */
export type Child = Node | string;

/** Makes an HTML element (also a custom one of the toolkit) with attributes and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes?: Attributes,
  children?: readonly Child[],
): HTMLElementTagNameMap[Name];
export function element(name: string, attributes?: Attributes, children?: readonly Child[]): HTMLElement;
export function element(name: string, attributes: Attributes = {}, children: readonly Child[] = []): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    made.setAttribute(key, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
}
