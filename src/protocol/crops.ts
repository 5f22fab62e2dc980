/**
 * What crosses between the host and the page that draws crops: one picture of a rollout, the regions of it that calls
 * looked at, and the pairs that overlap. JSON plus typed arrays. Texts of the page are here, too (invariant 10).
 * Leaves out which crops are compared (src/analysis/redundancy).
 */
import { numberText, percentText } from '../base/numberText.ts';
import type { RolloutRef } from './engine.ts';

/** One region on the picture. */
export interface CropBox {
  /** 1-based number on the picture; calls that looked at the same region have one box each. */
  readonly number: number;
  /** 0-based call. */
  readonly call: number;
  /** "call 2  python", as the transcript names it. */
  readonly label: string;
  /** Why it is redundant ("nearly repeats call 1"), '' for a call that is only compared with. */
  readonly sentence: string;
  /** Left, top, right, bottom as shares of the picture, 0 to 1. */
  readonly box: readonly [number, number, number, number];
}

/** Two boxes that share a part of the picture. */
export interface CropOverlap {
  /** Numbers of the boxes, the smaller first. */
  readonly pair: readonly [number, number];
  /** Intersection over union, above 0 to 1. */
  readonly overlap: number;
  /** The shared part, as `CropBox.box`. */
  readonly box: readonly [number, number, number, number];
}

/** A picture of a rollout with its crops. */
export interface CroppedPicture {
  readonly ref: RolloutRef;
  /** 0-based picture of the rollout. */
  readonly image: number;
  readonly boxes: readonly CropBox[];
  readonly overlaps: readonly CropOverlap[];
}

/** Requests of the page to the host. */
export interface CropsHostApi {
  /** The pictures of the rollout that was asked for; `ref` and `path` are those that the page kept, or null. */
  pictures(params: { readonly kept: { readonly ref: RolloutRef; readonly path: string } | null }): {
    readonly title: string;
    readonly kept: { readonly ref: RolloutRef; readonly path: string };
    readonly pictures: readonly CroppedPicture[];
  };
  /** Raw bytes of one picture from `first` on, at most 900,000. */
  bytes(params: { readonly image: number; readonly first: number }): {
    readonly mime: string;
    readonly sizeBytes: number;
    readonly bytes: Uint8Array;
  };
  /** Shows a call in the transcript. */
  reveal(params: { readonly call: number }): null;
}

/** What the host tells the page. */
export interface CropsEvents {
  /** Another rollout was asked for, or its flags changed. */
  changed(params: Record<string, never>): void;
}

/** Words of the page. */
export const cropTexts = {
  title: 'Crops',
  reading: 'The pictures are being read…',
  none: 'No call of this rollout looked at a part of a picture that was compared with another.',
  picture: (number: number) => `Picture ${number}`,
  unreadable: (number: number) => `The log has no data of picture ${number}: its regions are drawn on an empty frame.`,
  show: (label: string) => `Show ${label} in the transcript`,
  box: (number: number, label: string, sentence: string) =>
    `${number}: ${label}${sentence === '' ? '' : `, ${sentence}`}`,
  covers: (share: number) => `covers ${percentText(share)} of the picture`,
  overlap: (first: number, second: number, value: number) =>
    `${first} and ${second}: intersection over union ${numberText(value)}`,
  noOverlap: 'No two of these regions overlap.',
} as const;
