/** Scores of the edited graph against full logits of the graph as it was written, for every kind of decoder there is. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyDecoder, writeModel, type TinyDecoderOptions } from '../../generate/tinyDecoder.mjs';
import { opened, referenceRows, scored, someIds, temporaryFolder } from './tinyFolders.ts';

const tolerance = 1e-4;

/** Kind → how it is built, and what its folder looks like. */
const kinds: Readonly<Record<string, TinyDecoderOptions & { readonly data?: boolean; readonly loose?: number }>> = {
  plain: {},
  'plain, operator set 21': { operatorSet: 21 },
  'grouped-query': { attention: 'grouped' },
  'plain, 4-bit': { weights: 'q4' },
  'grouped-query, 4-bit': { attention: 'grouped', weights: 'q4' },
  // 16 bits: sums of other orders (runs of other lengths) differ by that much.
  'plain, 16-bit': { weights: 'f16', loose: 2e-2 },
  'grouped-query, 16-bit': { attention: 'grouped', weights: 'f16', loose: 2e-2 },
  'tied head': { tied: true },
  num_logits_to_keep: { toKeep: true },
  'num_logits_to_keep, 4-bit': { toKeep: true, weights: 'q4', attention: 'grouped' },
  'scaled and capped logits': { tail: true },
  'weights in a data file': { data: true },
  'an unknown head': { head: 'Gemm' },
  'a batch of one': { oneRow: true },
  'a recurrent state': { hybrid: true },
};

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  [folder, remove] = await temporaryFolder();
});
afterAll(() => remove());

describe.each(Object.entries(kinds))('%s', (name, { data = false, loose = tolerance, ...options }) => {
  test('scores equal those from full logits, in chunks and at once', async () => {
    const model = tinyDecoder(options);
    const own = join(folder, name.replaceAll(/\W+/g, '-'));
    const file = await writeModel(own, model, { data });
    const ids = someIds(150, model.shape.vocabulary);
    const rows = await referenceRows(file, model, ids);
    const watched = [3, 299, 17];
    for (const chunk of [128, 31, 7]) {
      const backend = await opened(own, { chunk });
      const scores = await scored(backend, ids, { watched, top: 5, temperature: 0.7 });
      expect(backend.facts.slowPath === null).toBe(name !== 'an unknown head');
      expect(scores.logprob.length).toBe(ids.length - 1);
      let worst = 0;
      const differs = (found: number | undefined, wanted: number): void => {
        worst = Math.max(worst, Math.abs((found ?? Number.NaN) - wanted));
      };
      ids.slice(1).forEach((id, index) => {
        const row = rows[index] ?? new Float64Array();
        const logprob = row[id] ?? Number.NaN;
        differs(scores.logprob[index], logprob);
        const logSum = Math.log(row.reduce((sum, value) => sum + Math.exp(value / 0.7), 0));
        differs(scores.tempered[index], logprob / 0.7 - logSum);
        differs(scores.entropy[index], -row.reduce((sum, value) => sum + Math.exp(value) * value, 0));
        watched.forEach((wanted, column) => differs(scores.watched[3 * index + column], row[wanted] ?? Number.NaN));
        const sorted = [...row].sort((a, b) => b - a);
        sorted.slice(0, 5).forEach((value, place) => {
          differs(scores.topLogprobs[5 * index + place], value);
          differs(row[scores.topIds[5 * index + place] ?? -1], value);
        });
        // Ranks may swap among values that are equal but for rounding.
        const rank = scores.rank[index] ?? Number.NaN;
        expect(sorted[rank - 1] ?? Number.NaN).toBeCloseTo(logprob, loose > tolerance ? 1 : 3);
      });
      expect(worst).toBeLessThan(loose);
      await backend.dispose();
    }
  });
});
