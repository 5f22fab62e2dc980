/**
 * A number set by sliding or typing: a native range and a native number input of the same value, each with its name.
 * Leaves out redrawing: `onInput` may come many times a frame, the page draws once.
 */
import { element } from './dom.ts';

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

/** Makes a slider; a typed number outside its limits is taken as the nearest limit. */
export function slider({ label, min, max, step, value, onInput }: SliderOptions): Slider {
  const limits = { min, max, step, value };
  const range = element('input', { type: 'range', class: 'range', 'aria-label': label, ...limits });
  const number = element('input', {
    type: 'number',
    class: 'number',
    'aria-label': `${label}, as a number`,
    ...limits,
  });
  const set = (next: number): void => {
    range.value = String(next);
    if (document.activeElement !== number) number.value = String(next);
  };
  range.addEventListener('input', () => {
    number.value = range.value;
    onInput(Number(range.value));
  });
  number.addEventListener('input', () => {
    if (number.value === '' || !Number.isFinite(Number(number.value))) return;
    const next = Math.max(min, Math.min(max, Number(number.value)));
    range.value = String(next);
    onInput(next);
  });
  number.addEventListener('change', () => {
    number.value = range.value;
  });
  return { node: element('span', { class: 'slider' }, [element('span', {}, [label]), range, number]), set };
}
