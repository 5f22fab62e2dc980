/**
 * The regions of pictures that calls looked at, flagged or not: numbered, each call's region once, with the overlap of
 * each pair. Pure; the crops and the player show them. Leaves out drawing them (webview/ui/croppedFigure.ts).
 */
import type { CropBox, CropOverlap, CroppedPicture } from '../protocol/crops.ts';
import type { ShownBox } from '../protocol/flags.ts';
import { transcriptTexts } from '../protocol/texts.ts';
import type { ShownTranscript } from './openTranscripts.ts';

type Corners = ShownBox['box'];

/** The pictures that have regions, in their order; boxes by call. */
export function croppedPictures({
  address,
  flags,
  marks,
}: Pick<ShownTranscript, 'address' | 'flags' | 'marks'>): readonly CroppedPicture[] {
  const boxes = flags.crops;
  const images = [...new Set(boxes.flatMap(({ image }) => (image === null ? [] : [image])))].sort((a, b) => a - b);
  const tools = new Map(marks.flatMap((mark) => (mark.kind === 'call' ? [[mark.call, mark.tool] as const] : [])));
  const sentence = (call: number): string =>
    flags.flags.find((flag) => flag.call === call && flag.confidence !== 'hint')?.sentence ?? '';
  return images.map((image) => {
    const here = distinct(boxes.filter((box) => box.image === image));
    const numbered = here.map(({ call, box }, index): CropBox => ({
      number: index + 1,
      call,
      label: [transcriptTexts.call(call + 1), tools.get(call) ?? ''].join(' ').trim(),
      sentence: sentence(call),
      box,
    }));
    return { ref: address.ref, image, boxes: numbered, overlaps: overlapsOf(numbered) };
  });
}

/** By call, and within one from the upper left; a region that a call looks at twice is one. */
function distinct(boxes: readonly ShownBox[]): readonly ShownBox[] {
  const byName = new Map(boxes.map((box) => [JSON.stringify([box.call, box.box]), box]));
  return [...byName.values()].sort((a, b) => a.call - b.call || a.box[1] - b.box[1] || a.box[0] - b.box[0]);
}

function overlapsOf(boxes: readonly CropBox[]): readonly CropOverlap[] {
  return boxes.flatMap((one, index) =>
    boxes.slice(index + 1).flatMap((other): CropOverlap[] => {
      const box: Corners = [
        Math.max(one.box[0], other.box[0]),
        Math.max(one.box[1], other.box[1]),
        Math.min(one.box[2], other.box[2]),
        Math.min(one.box[3], other.box[3]),
      ];
      const shared = areaOf(box);
      if (shared <= 0) return [];
      const overlap = shared / (areaOf(one.box) + areaOf(other.box) - shared);
      return [{ pair: [one.number, other.number], overlap, box }];
    }),
  );
}

/** Share of the picture; 0 for corners the wrong way round. */
export function areaOf([left, top, right, bottom]: Corners): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}
