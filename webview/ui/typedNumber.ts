/**
 * What was typed into a number box: a number within its limits, nothing, or what does not fit, with the sentence that says
 * which numbers fit and which one still holds. Pure but for `numberProblem`, the place of that sentence beside a box.
 * Leaves out the boxes themselves (slider.ts and those of pages).
 */
import { numberText } from '../../src/base/numberText.ts';
import { element } from './dom.ts';

/** Which numbers fit; `max` may be Infinity. */
export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  /** True where only whole numbers fit. */
  readonly whole: boolean;
}

/** What the text of a box means. */
export type TypedNumber =
  { readonly kind: 'number'; readonly value: number } | { readonly kind: 'empty' } | { readonly kind: 'unfit' };

/** Reads the text of a box; the browser gives '' for letters, and says with `badInput` that it was no number. */
export function typedNumber(text: string, badInput: boolean, { min, max, whole }: NumberLimits): TypedNumber {
  if (badInput) return { kind: 'unfit' };
  if (text.trim() === '') return { kind: 'empty' };
  const value = Number(text);
  const fits = Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isSafeInteger(value));
  return fits ? { kind: 'number', value } : { kind: 'unfit' };
}

/** "from 1 to 64", "from 0 on". */
export function limitsText({ min, max }: Pick<NumberLimits, 'min' | 'max'>): string {
  return max === Infinity ? `from ${numberText(min)} on` : `from ${numberText(min)} to ${numberText(max)}`;
}

/** Says which numbers fit, and which value still holds: "Takes a whole number from 1 to 64; 8 still holds." */
export function unfitText(limits: NumberLimits, held: string): string {
  return `Takes ${limits.whole ? 'a whole number' : 'a number'} ${limitsText(limits)}; ${held} still holds.`;
}

/** The place of a sentence about a box. */
export interface NumberProblem {
  readonly node: HTMLElement;
  /** What is typed does not fit. */
  show(sentence: string): void;
  /** The box shows its old value again; the sentence stays, so that it is seen why. */
  restored(): void;
  clear(): void;
}

let problems = 0;

/** Makes the place of a sentence about a box, empty. */
export function numberProblem(input: HTMLInputElement): NumberProblem {
  problems += 1;
  const node = element('span', { class: 'unfit', role: 'status', id: `number-problem-${problems}` });
  input.setAttribute('aria-describedby', node.id);
  return {
    node,
    show: (sentence) => {
      input.setAttribute('aria-invalid', 'true');
      if (node.textContent !== sentence) node.textContent = sentence;
    },
    restored: () => {
      input.removeAttribute('aria-invalid');
    },
    clear: () => {
      input.removeAttribute('aria-invalid');
      node.textContent = '';
    },
  };
}
