/**
 * Bytes of a logged picture, a slice at a time, out of its base64 text: a picture may be larger than a message may be.
 * Pure. Leaves out reading the rollout again (rolloutReader.ts).
 */
import { UserError } from '../base/errors.ts';
import type { Rollout } from '../model/rollout.ts';

/** A slice of a picture. */
export interface ImageSlice {
  readonly mime: string;
  /** Size of the whole picture. */
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

const sliceBytes = 900_000;

/** At most 900,000 bytes of picture `image` from byte `first`; UserError if the log does not have the picture. */
export function imageSlice(rollout: Rollout, image: number, first: number): ImageSlice {
  const logged = rollout.images[image];
  if (!logged) throw new UserError(`This rollout has no picture ${image + 1}.`);
  if (logged.state !== 'inline' || logged.base64 === null) {
    const why = logged.state === 'cut' ? 'was cut by the logger' : 'is not in the log, only its place is';
    throw new UserError(`Picture ${image + 1} ${why}.`);
  }
  const { base64 } = logged;
  const start = Number.isFinite(first) ? Math.max(0, Math.trunc(first)) : 0;
  // Three bytes are four characters: decoding starts at the group that holds the first byte.
  const group = Math.floor(start / 3);
  const groups = Math.ceil(sliceBytes / 3) + 1;
  const decoded = Buffer.from(base64.slice(group * 4, (group + groups) * 4), 'base64');
  const offset = start - group * 3;
  const bytes = new Uint8Array(decoded.subarray(offset, offset + sliceBytes));
  return { mime: logged.mime ?? 'application/octet-stream', sizeBytes: sizeOf(base64), bytes };
}

function sizeOf(base64: string): number {
  let length = base64.length;
  while (length > 0 && base64[length - 1] === '=') length -= 1;
  return Math.floor((length * 3) / 4);
}
