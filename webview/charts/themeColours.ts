/**
 * Theme colours as bytes, for canvases: CSS resolves the variable and the notation, a canvas the rest. Known colours are
 * kept until the theme changes. SVG needs none of this.
 */
import { onThemeChange } from '../ui/theme.ts';
import type { ColourReader } from './raster.ts';

/** Makes a reader of CSS colours as the page's theme has them. */
export function makeColourReader(): ColourReader {
  const known = new Map<string, readonly [number, number, number]>();
  onThemeChange(() => {
    known.clear();
  });
  return (colour) => {
    const found = known.get(colour) ?? colourBytes(colour);
    known.set(colour, found);
    return found;
  };
}

/** Red, green and blue of a CSS colour, in any notation and with variables, as it looks on the page. */
export function colourBytes(colour: string): readonly [number, number, number] {
  const probe = document.createElement('i');
  probe.style.setProperty('color', colour);
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d');
  if (!context) return [128, 128, 128];
  context.fillStyle = resolved;
  context.fillRect(0, 0, 1, 1);
  const [red = 128, green = 128, blue = 128] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}
