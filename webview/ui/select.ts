/**
 * One of a few choices, as the browser's own list with its visible label: charts can be drawn without the toolkit, which
 * needs a DOM as soon as it is imported. Leaves out redrawing.
 */
import { element } from './dom.ts';

/** What a list of choices asks. */
export interface SelectOptions<Value extends string> {
  /** Visible, and its accessible name. */
  readonly label: string;
  /** Each value with its text, in order. */
  readonly choices: Readonly<Record<Value, string>>;
  readonly chosen: Value;
  readonly onChange: (value: Value) => void;
}

/** Makes a list of choices with its label. */
export function select<Value extends string>(options: SelectOptions<Value>): HTMLElement {
  const { label, choices, chosen, onChange } = options;
  const isChoice = (value: string): value is Value => value in choices;
  const made = element(
    'select',
    { 'aria-label': label },
    Object.keys(choices).map((value) =>
      element('option', { value, selected: value === chosen }, [isChoice(value) ? choices[value] : '']),
    ),
  );
  made.addEventListener('change', () => {
    if (isChoice(made.value)) onChange(made.value);
  });
  return element('label', { class: 'labelled' }, [label, made]);
}
