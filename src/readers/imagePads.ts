/**
 * Finds runs of image pads in decoded text: `<|vision_start|><|image_pad|>×N<|vision_end|>`, N up to a million.
 * Shared by the readers of chat text. Leaves out which logged picture a run stands for (chatEpisode.ts).
 */

const pad = '<|image_pad|>';
const visionStart = '<|vision_start|>';
const visionEnd = '<|vision_end|>';
/** Comparing slices with a block runs at memory speed: 6 µs for 2,000 pads, 54 µs pad by pad. */
const padsInBlock = 256;
const block = pad.repeat(padsInBlock);

/** What the text is cut into, in order. */
export interface ImageCuts {
  /** A piece of text between runs, never empty. */
  readonly text: (piece: string) => void;
  /** One picture of `pads` pads. */
  readonly image: (pads: number) => void;
}

/** Cuts the text at its runs of image pads; text without pads is handed over whole. Linear in the text. */
export function cutAtImages(text: string, cuts: ImageCuts): void {
  let first = 0;
  for (let at = text.indexOf(pad); at !== -1; at = text.indexOf(pad, first)) {
    let end = at;
    while (text.slice(end, end + block.length) === block) end += block.length;
    while (text.startsWith(pad, end)) end += pad.length;
    const pads = (end - at) / pad.length;
    const start = at - visionStart.length;
    const textEnd = start >= first && text.startsWith(visionStart, start) ? start : at;
    if (textEnd > first) cuts.text(text.slice(first, textEnd));
    cuts.image(pads);
    first = text.startsWith(visionEnd, end) ? end + visionEnd.length : end;
  }
  if (first === 0) {
    if (text !== '') cuts.text(text);
  } else if (first < text.length) cuts.text(text.slice(first));
}
