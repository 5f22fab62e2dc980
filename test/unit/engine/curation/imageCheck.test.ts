/** Pictures that decode and pictures that do not: each kind cut off at every byte, PNG with every byte changed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brokenReason } from '../../../../src/engine/curation/imageCheck.ts';

/** One pixel, or a few, of each kind. */
const pictures: Readonly<Record<string, string>> = {
  png: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  gif: 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7',
  jpeg: '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z',
  webp: 'UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA=',
  bmp: 'Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAA////AA==',
};

const bytesOf = (kind: string): Buffer => Buffer.from(pictures[kind] ?? '', 'base64');

describe.each(Object.keys(pictures))('%s', (kind) => {
  it('decodes as it is, and not when it is cut off', () => {
    const whole = bytesOf(kind);
    expect(brokenReason(whole)).toBeNull();
    // BMP pads its lines, GIF ends in one byte: the last bytes are all that may be missing unseen.
    for (let length = 0; length < whole.length - 1; length += 1) {
      const cut = brokenReason(whole.subarray(0, length));
      expect(cut === null ? length : 'broken', `${kind} cut to ${length} of ${whole.length}`).toBe('broken');
    }
  });
});

it('sees any changed byte of a PNG', () => {
  const whole = bytesOf('png');
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    expect(brokenReason(changed), `byte ${at}`).not.toBeNull();
  }
});

it('takes the pictures that ship, and never throws', () => {
  const folder = join(import.meta.dirname, '..', '..', '..', '..', 'media', 'sample', 'illustrated');
  const shipped = readdirSync(folder).filter((name) => /\.(?:png|jpe?g)$/.test(name));
  expect(shipped.length).toBeGreaterThan(0);
  for (const name of shipped) expect(brokenReason(readFileSync(join(folder, name))), name).toBeNull();
  expect(brokenReason(Buffer.from('not a picture'))).toBe('its first bytes are those of no picture');
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(pictures)), fc.uint8Array({ maxLength: 200 }), (kind, noise) => {
      const head = bytesOf(kind).subarray(0, 16);
      brokenReason(Buffer.concat([head, noise]));
    }),
  );
});
