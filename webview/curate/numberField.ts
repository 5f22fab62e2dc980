/**
 * A whole number that may be left out: a native number input with its visible label, and what an empty one means.
 * What does not fit is said beside it, and the old value holds. Leaves out limits from above.
 */
import { element } from '../ui/dom.ts';
import { numberProblem, typedNumber, unfitText } from '../ui/typedNumber.ts';

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
  const limits = { min: least, max: Infinity, whole: true };
  const problem = numberProblem(input);
  let held = value;
  input.addEventListener('input', () => {
    const typed = typedNumber(input.value, input.validity.badInput, limits);
    if (typed.kind === 'unfit') {
      problem.show(unfitText(limits, held === null ? `"${empty}"` : String(held)));
      return;
    }
    problem.clear();
    held = typed.kind === 'empty' ? null : typed.value;
    onInput(held);
  });
  input.addEventListener('change', () => {
    input.value = held === null ? '' : String(held);
    problem.restored();
  });
  return element('span', { class: 'slider' }, [element('label', { class: 'labelled' }, [label, input]), problem.node]);
}
