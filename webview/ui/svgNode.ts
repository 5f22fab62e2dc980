/**
 * SVG as data: what a chart draws, before it is in a page. Made without a DOM, so that the same drawing is shown, saved
 * as a file and compared in tests. Style stands in presentation attributes only (the page's CSP forbids style attributes),
 * colours as `var(--vscode-…)`, which standaloneSvg.ts resolves. Leaves out what is drawn.
 */

/** An attribute: numbers are written with at most two decimals; null leaves it out. */
export type SvgAttributes = Readonly<Record<string, string | number | null>>;

/** An element of a drawing; a string child is text and never parsed. */
export interface SvgNode {
  readonly name: string;
  readonly attributes: SvgAttributes;
  readonly children: readonly (SvgNode | string)[];
}

/** Makes a node. */
export function svg(name: string, attributes: SvgAttributes = {}, children: SvgNode['children'] = []): SvgNode {
  return { name, attributes, children };
}

/** A number as it stands in an attribute or path: at most two decimals. */
export function px(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return String(Object.is(rounded, -0) ? 0 : rounded);
}

/** The node as source, for a file or a snapshot; text is escaped. Indented, one element a line. */
export function toSource(node: SvgNode, indent = ''): string {
  const attributes = written(node)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join('');
  if (node.children.length === 0) return `${indent}<${node.name}${attributes}/>`;
  if (node.children.every((child) => typeof child === 'string')) {
    return `${indent}<${node.name}${attributes}>${escaped(node.children.join(''))}</${node.name}>`;
  }
  const inner = node.children.map((child) =>
    typeof child === 'string' ? `${indent}  ${escaped(child)}` : toSource(child, `${indent}  `),
  );
  return [`${indent}<${node.name}${attributes}>`, ...inner, `${indent}</${node.name}>`].join('\n');
}

/** The node as an element of the page. */
export function toElement(node: SvgNode): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', node.name);
  for (const [name, value] of written(node)) made.setAttribute(name, value);
  made.append(...node.children.map((child) => (typeof child === 'string' ? child : toElement(child))));
  return made;
}

function written({ attributes }: SvgNode): (readonly [name: string, value: string])[] {
  return Object.entries(attributes).flatMap(([name, value]) =>
    value === null ? [] : [[name, typeof value === 'number' ? px(value) : value] as const],
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
