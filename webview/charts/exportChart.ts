/**
 * A drawing as a file of its own: title and sentence above it, colours of the theme it was seen in written out, so that
 * it looks the same in any program. SVG is text; PNG is the same SVG painted at twice its size.
 * Leaves out where it is saved (the host asks) and CSV (csv.ts).
 */
import { background, foreground, textNode } from './axes.ts';
import { rasterNode, type Raster } from './raster.ts';
import { colourBytes } from './themeColours.ts';
import { svg, toSource, type SvgNode } from '../ui/svgNode.ts';

/** What goes into the file. */
export interface ExportedDrawing {
  readonly title: string;
  readonly summary: string;
  readonly width: number;
  readonly height: number;
  readonly rasters: readonly Raster[];
  readonly nodes: readonly SvgNode[];
}

const lineHeight = 15;
const padding = 8;
/** Mean width of a character at 11 px, on the safe side. */
const characterWidth = 6;

/** The whole drawing as SVG source; colours still `var(--vscode-…)`. Throws nothing; pure. */
export function standaloneSvg({ title, summary, width, height, rasters, nodes }: ExportedDrawing): string {
  // A line a run.
  const lines = summary.split('\n').flatMap((one) => wrapped(one, Math.floor((width - 2 * padding) / characterWidth)));
  const top = padding + lineHeight * (lines.length + 1) + 4;
  const root = svg(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height + top}`,
      width,
      height: height + top,
      'font-family': 'system-ui, sans-serif',
    },
    [
      svg('title', {}, [title]),
      svg('desc', {}, [summary]),
      svg('rect', { width, height: height + top, fill: background }),
      textNode(title, { x: padding, y: padding + 11, weight: '600' }),
      ...lines.map((line, index) => textNode(line, { x: padding, y: padding + 11 + lineHeight * (index + 1) })),
      svg('g', { transform: `translate(0,${top})`, fill: foreground }, [...rasters.map(rasterNode), ...nodes]),
    ],
  );
  return `${toSource(root)}\n`;
}

/** Replaces each `var(--name, fallback)` by what `lookup` knows of the name, or by its fallback. */
export function resolveVariables(source: string, lookup: (name: string) => string): string {
  const once = (text: string): string =>
    text.replaceAll(/var\((--[\w-]+)(?:,\s*([^()]+))?\)/g, (_, name: string, fallback?: string) => {
      const found = lookup(name).trim();
      return found !== '' ? found : (fallback?.trim() ?? 'currentColor');
    });
  // A fallback may be a variable itself: the inner one first, then the outer.
  return once(once(source));
}

/** Breaks a sentence into lines of at most so many characters, between words. */
export function wrapped(text: string, characters: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > characters) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** SVG source with the colours of the page's theme. */
export function inTheme(source: string): string {
  const style = getComputedStyle(document.body);
  return resolveVariables(source, (name) => {
    const value = style.getPropertyValue(name);
    // A colour made of another one (charts.css) is read by browsers only.
    return value.includes('from') ? `rgb(${colourBytes(value).join(',')})` : value;
  });
}

/** SVG source, colours resolved, as the bytes of a PNG at twice its size. Rejects where the browser cannot paint it. */
export async function pngOf(source: string): Promise<Uint8Array> {
  const address = URL.createObjectURL(new Blob([source], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth * 2;
    canvas.height = image.naturalHeight * 2;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => {
      canvas.toBlob(resolve, 'image/png');
    });
    if (!blob) throw new Error('The picture could not be painted.');
    return new Uint8Array(await blob.arrayBuffer());
  } finally {
    URL.revokeObjectURL(address);
  }
}
