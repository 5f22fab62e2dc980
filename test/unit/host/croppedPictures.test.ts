/** The regions of pictures: numbered, each once, with the overlap of each pair. */
import { describe, expect, test } from 'vitest';
import type { ShownBox } from '../../../src/protocol/flags.ts';
import type { Mark } from '../../../src/protocol/transcript.ts';
import { croppedPictures } from '../../../src/host/croppedPictures.ts';
import { ref, repeatFlag } from '../transcript/sampleRollouts.ts';

const left: ShownBox = { call: 0, image: 0, box: [0, 0, 0.5, 1] };
const wide: ShownBox = { call: 1, image: 0, box: [0.25, 0, 0.75, 1] };
const apart: ShownBox = { call: 2, image: 0, box: [0.8, 0, 1, 0.2] };
const elsewhere: ShownBox = { call: 2, image: 3, box: [0, 0, 1, 1] };
const unknown: ShownBox = { call: 2, image: null, box: [0, 0, 1, 1] };

const address = { ref, path: '/logs/hdpo', rest: null };
const pictures = (...boxes: readonly (readonly ShownBox[])[]) =>
  croppedPictures({
    address,
    marks: [{ kind: 'call', call: 1, tool: 'python', line: 4, count: 3 } as Mark],
    flags: {
      flags: boxes.map((given, index) => repeatFlag({ call: index + 1, boxes: given })),
      counterfactual: null,
      crops: boxes.flat().filter(({ image }) => image !== null),
    },
  });

describe('regions', () => {
  test('are numbered by call, each once', () => {
    const [picture] = pictures([wide, left], [apart, left]);
    expect(picture?.boxes.map(({ number, call, box }) => [number, call, box])).toEqual([
      [1, 0, left.box],
      [2, 1, wide.box],
      [3, 2, apart.box],
    ]);
  });

  test('say what their call is, and why it is flagged', () => {
    const [picture] = pictures([wide, left]);
    expect(picture?.boxes.map(({ label, sentence }) => [label, sentence])).toEqual([
      ['call 1', ''],
      ['call 2 python', 'repeats call 1: same code, same result'],
    ]);
  });

  test('overlap by intersection over union, where they do', () => {
    const [picture] = pictures([wide, left], [apart, left]);
    expect(picture?.overlaps).toEqual([{ pair: [1, 2], overlap: 1 / 3, box: [0.25, 0, 0.5, 1] }]);
  });

  test('belong to their picture; a picture that the log does not name is none', () => {
    expect(pictures([wide, left], [elsewhere, unknown]).map(({ image, boxes }) => [image, boxes.length])).toEqual([
      [0, 2],
      [3, 1],
    ]);
    expect(pictures([unknown])).toEqual([]);
  });
});
