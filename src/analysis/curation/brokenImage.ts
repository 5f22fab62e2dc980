/**
 * Filter `broken-image`: a prompt with a picture that does not decode (the engine looks at header, structure and, where it
 * can, the pixels). Cannot tell where the log cut the picture or has only its place. Source: hdpo.md section 4.
 */
import { pluralText } from '../../base/numberText.ts';
import { imageStates } from './facts.ts';
import { decideEach, drop, keep, undecided, type Filter } from './filter.ts';

/** Drops prompts with broken pictures. */
export const brokenImage: Filter<'broken-image'> = {
  id: 'broken-image',
  comparesRows: false,
  decide: ({ prompts }) =>
    decideEach(prompts.count, (row) => {
      if (prompts.images[row] === imageStates.broken) return drop;
      return prompts.images[row] === imageStates['not logged'] ? undecided : keep;
    }),
  coverage: ({ prompts }) => {
    const of = (state: number): number => prompts.images.reduce((sum, one) => (one === state ? sum + 1 : sum), 0);
    const [decoded, broken, missing] = [of(imageStates.decoded), of(imageStates.broken), of(imageStates['not logged'])];
    const rest = missing === 0 ? '' : `; of ${pluralText(missing, 'prompt')} the log does not have the pictures`;
    return (
      `pictures of ${pluralText(decoded + broken, 'prompt')}: header and structure of PNG, JPEG, GIF, WebP, BMP and AVIF, ` +
      `the pixels of PNG only${rest}`
    );
  },
  reason: ({ prompts }, _, { row }) => {
    const why = prompts.broken.get(row) ?? 'it is damaged';
    return { reason: `A picture of the prompt does not decode: ${why}.`, evidence: [{ name: 'picture', value: why }] };
  },
};
