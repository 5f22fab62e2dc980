/**
 * A number set by sliding or typing: a native range and a native number input of the same value, each with its name.
 * Leaves out redrawing: `onInput` may come many times a frame, the page draws once.
 */
import { element } from './dom.ts';
import { numberProblem, typedNumber, unfitText } from './typedNumber.ts';

/** What a slider sets. */
export interface SliderOptions {
  /** Visible; the accessible name of both inputs. */
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  readonly onInput: (value: number) => void;
}

/** A slider on the page. */
export interface Slider {
  readonly node: HTMLElement;
  /** Shows another value without telling. */
  set(value: number): void;
}

/** Makes a slider; what is typed and does not fit is said beside it, and the old value holds. */
export function slider({ label, min, max, step, value, onInput }: SliderOptions): Slider {
  const limits = { min, max, step, value };
  const range = element('input', { type: 'range', class: 'range', 'aria-label': label, ...limits });
  const number = element('input', {
    type: 'number',
    class: 'number',
    'aria-label': `${label}, as a number`,
    ...limits,
  });
  const fits = { min, max, whole: Number.isInteger(step) };
  const problem = numberProblem(number);
  let held = value;
  const set = (next: number): void => {
    held = next;
    range.value = String(next);
    if (document.activeElement !== number) number.value = String(next);
  };
  range.addEventListener('input', () => {
    number.value = range.value;
    held = Number(range.value);
    problem.clear();
    onInput(held);
  });
  number.addEventListener('input', () => {
    const typed = typedNumber(number.value, number.validity.badInput, fits);
    // An empty box is about to be typed into.
    if (typed.kind === 'empty') return;
    if (typed.kind === 'unfit') {
      problem.show(unfitText(fits, String(held)));
      return;
    }
    problem.clear();
    held = typed.value;
    range.value = String(held);
    onInput(held);
  });
  number.addEventListener('change', () => {
    const typed = typedNumber(number.value, number.validity.badInput, fits);
    if (typed.kind === 'empty') problem.show(unfitText(fits, String(held)));
    number.value = String(held);
    problem.restored();
  });
  return {
    node: element('span', { class: 'slider' }, [element('span', {}, [label]), range, number, problem.node]),
    set,
  };
}
