/**
 * Reads EasyR1's `generations.log` (b44b311; formats.md 5.8): validation samples as text, appended step after step:
 * `[prompt] …`, `[output] …`, `[ground_truth] …`, `[score] …`, each at the start of a line, then a blank line (the order of
 * `FileGenerationLogger`, checked in public forks of its gen_logger.py; some put lines of their own in front or between).
 * The texts may have lines of their own; prompt and output are decoded chats without special tokens.
 * Leaves out the step, which the log has not: a prompt that was validated twice has twice the rollouts in its group.
 */
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { buildEpisode } from './chatEpisode.ts';
import { inferredGroupKey } from './groupKey.ts';
import { asBuffer, hasByteOrderMark } from './parseJson.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { readTextBlocks } from './textBlocks.ts';
import { numberOf } from './toolInteractions.ts';

const format = 'easy-r1';
const producer = 'EasyR1';
const opening = '[prompt]';
const outputMark = '\n[output]';
const truthMark = '\n[ground_truth]';
const scoreMark = '\n[score]';

/** One rollout a block of text. */
export const easyR1Reader: Reader = {
  format,
  version: 1,
  recognise: (head) => recogniseEasyR1(head),
  stepOfName: () => null,
  read: (source, options) =>
    readTextBlocks(source, {
      from: options.from,
      signal: options.signal,
      note: options.note,
      progress: options.progress,
      opening,
      marks: ['[output]', '[ground_truth]'],
      closing: '[score]',
      block: (text, place) => {
        const rollout = easyR1Rollout(text, place);
        if (rollout === null) return 'the block lacks [output], [ground_truth] or [score]';
        options.rollout(rollout);
        return null;
      },
    }),
  readOne: async (source, place) => {
    const bytes = asBuffer(await source.read(place.bytes.first, place.bytes.count));
    return bytes.length < place.bytes.count ? null : easyR1Rollout(bytes.toString('utf8'), place);
  },
};

function recogniseEasyR1({ container, bytes }: Head): Recognition | null {
  if (container !== 'other') return null;
  const head = asBuffer(bytes);
  const text = head.toString('latin1', hasByteOrderMark(head, 0) ? 3 : 0, 64 * 1024);
  return /^\[prompt\]/m.test(text) ? { format, producer, variant: '' } : null;
}

/** Maps one block; null where it lacks a part. An output may quote the marks: its own end is the last one of each. */
export function easyR1Rollout(block: string, place: RecordPlace): Rollout | null {
  const text = block.replaceAll('\r\n', '\n');
  if (!text.startsWith(opening)) return null;
  const output = text.indexOf(outputMark);
  const score = text.lastIndexOf(scoreMark);
  const truth = text.lastIndexOf(truthMark, score);
  if (output < 0 || truth < output || score < truth) return null;
  const prompt = text.slice(opening.length, output).replace(/^ /, '');
  const groundTruth = text.slice(truth + truthMark.length, score).replace(/^ /, '');
  const answered = text.slice(output + outputMark.length, truth).replace(/^ /, '');
  return buildRollout({
    ...buildEpisode({ input: prompt, output: answered, entries: null }),
    place,
    producer,
    group: { key: inferredGroupKey(prompt, groundTruth), source: 'inferred' },
    groundTruth: groundTruth === 'None' ? null : groundTruth,
    reward: { total: numberOf(text.slice(score + scoreMark.length).trim()) },
    exactText: { prompt, response: answered },
  });
}
