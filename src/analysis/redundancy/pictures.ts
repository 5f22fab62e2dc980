/**
 * The pictures that calls crop: which picture of the rollout a name means, how large it is, and the boxes of a call as shares
 * of it. Used by the rule `whole-image` and by everyone who draws boxes.
 * Leaves out finding boxes in code and arguments (cropBox.ts).
 */
import type { Rollout } from '../../model/rollout.ts';
import type { CallFacts } from './callFacts.ts';
import { cropOfArguments, cropsOfPython, type Crop, type Size } from './cropBox.ts';
import { imageSize } from './imageSize.ts';
import { codeOf, isCodeTool } from './toolKinds.ts';

/** Index into `rollout.images` of the prompt's n-th picture, where a call names it `image_n`; null for none. */
export function promptPicture({ images }: Rollout, name: string): number | null {
  const pictures = images.flatMap(({ origin }, index) => (origin === 'prompt' ? [index] : []));
  const number = Number(/(\d+)\D*$/u.exec(name)?.[1] ?? 1);
  return (pictures.length === 1 ? pictures[0] : pictures[number - 1]) ?? null;
}

/** Size of a picture in pixels; null where the log does not have its data. */
export function sizeOfPicture({ images }: Rollout, image: number | null): Size | null {
  const data = (image === null ? null : images[image]?.base64) ?? null;
  return data === null ? null : imageSize(data);
}

/** A part of a picture that a call looked at. */
export interface CallBox {
  /** Index into `rollout.images`; null where the log does not say which. */
  readonly image: number | null;
  /** Left, top, right, bottom as shares of width and height, 0 to 1. */
  readonly box: readonly [number, number, number, number];
}

/** The boxes of a call that can be said as shares of their picture, at most 16. */
export function boxesOfCall(facts: CallFacts, index: number): readonly CallBox[] {
  const call = facts.rollout.calls[index];
  if (!call) return [];
  return cropsOf(facts, index)
    .slice(0, mostBoxes)
    .flatMap(({ image: name, box }) => {
      const image = promptPicture(facts.rollout, name);
      const size = box.unit === 'share' ? { width: 1, height: 1 } : sizeOfPicture(facts.rollout, image);
      if (size === null) return [];
      const share = (value: number, side: number): number => Math.min(1, Math.max(0, value / side));
      const left = share(box.left, size.width);
      const top = share(box.top, size.height);
      const right = share(box.right, size.width);
      const bottom = share(box.bottom, size.height);
      return right > left && bottom > top ? [{ image, box: [left, top, right, bottom] as const }] : [];
    });
}

const mostBoxes = 16;

function cropsOf(facts: CallFacts, index: number): readonly Crop[] {
  const { tool, arguments: given } = facts.rollout.calls[index] ?? { tool: null, arguments: null };
  if (isCodeTool(tool)) {
    // Parsing is dear: most code crops nothing.
    if (!/crop|\[[^\]]*:[^\]]*,/u.test(codeOf(tool, given) ?? '')) return [];
    const code = facts.code(index);
    return code === null ? [] : (cropsOfPython(code) ?? []);
  }
  const crop = cropOfArguments(given);
  return crop === null ? [] : [crop];
}
