/**
 * A whole number that may be left out: a native number input with its visible label, and what an empty one means.
 * Leaves out limits from above.
 */
import { element } from '../ui/dom.ts';

/** What a field sets. */
export interface NumberFieldOptions {
  /** Visible; the accessible name. */
  readonly label: string;
  /** What an empty field means. */
  readonly empty: string;
  readonly least: number;
  readonly value: number | null;
  readonly onInput: (value: number | null) => void;
}

/** Makes a field; what is no whole number of at least `least` is not told. */
export function numberField({ label, empty, least, value, onInput }: NumberFieldOptions): HTMLElement {
  const input = element('input', {
    type: 'number',
    class: 'number wide',
    'aria-label': `${label}; empty: ${empty}`,
    min: least,
    step: 1,
    placeholder: empty,
    value: value === null ? '' : value,
  });
  input.addEventListener('input', () => {
    if (input.value === '') {
      // A half-typed number reads as empty too.
      if (!input.validity.badInput) onInput(null);
      return;
    }
    const number = Number(input.value);
    if (Number.isSafeInteger(number) && number >= least) onInput(number);
  });
  return element('label', { class: 'labelled' }, [label, input]);
}
