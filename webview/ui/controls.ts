/**
 * The toolkit's controls behind functions of our own: the toolkit is frozen upstream, so only this folder may import
 * it and replacing it is a change of one file. Every control gets its accessible name here.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';
import { element } from './dom.ts';

/** Registers the custom elements; once, before the first control is made. */
export function registerControls(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeProgressRing(),
  );
}

/** What a button is and does. */
export interface ButtonOptions {
  readonly label: string;
  readonly title: string;
  readonly onClick: () => void;
}

/** A secondary button. */
export function button({ label, title, onClick }: ButtonOptions): HTMLElement {
  const made = element('vscode-button', { appearance: 'secondary', title, 'aria-label': title }, [label]);
  made.addEventListener('click', onClick);
  return made;
}

/** A button that stays pressed, and how it begins. */
export interface ToggleOptions extends Omit<ButtonOptions, 'onClick'> {
  readonly pressed: boolean;
  readonly onToggle: (pressed: boolean) => void;
}

/** A button that stays pressed: `aria-pressed` and appearance follow its state. */
export function toggleButton({ label, title, onToggle, ...options }: ToggleOptions): HTMLElement {
  let { pressed } = options;
  const show = (): void => {
    made.setAttribute('aria-pressed', String(pressed));
    made.setAttribute('appearance', pressed ? 'primary' : 'secondary');
  };
  const onClick = (): void => {
    pressed = !pressed;
    show();
    onToggle(pressed);
  };
  const made = button({ label, title, onClick });
  show();
  return made;
}

/** What a checkbox stands for. */
export interface CheckboxOptions {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** A checkbox with its label. */
export function checkbox({ label, checked, onChange }: CheckboxOptions): HTMLElement {
  const made = element('vscode-checkbox', { checked, 'aria-label': label }, [label]);
  made.addEventListener('change', () => {
    onChange((made as HTMLInputElement).checked);
  });
  return made;
}

/** One choice of a dropdown. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** What a dropdown asks. */
export interface DropdownOptions {
  /** Its accessible name; a visible label stands beside it. */
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: string;
  readonly onChange: (value: string) => void;
}

/** A list of choices that opens. */
export function dropdown({ label, choices, chosen, onChange }: DropdownOptions): HTMLElement {
  // By index: the toolkit takes an option without a value for the chosen one, whichever is marked.
  const options = choices.map((choice, index) =>
    element('vscode-option', { value: `choice ${index}`, selected: choice.value === chosen }, [choice.label]),
  );
  const made = element('vscode-dropdown', { 'aria-label': label }, options);
  made.addEventListener('change', () => {
    // The element is the toolkit's: its value is that of the chosen option.
    const { value } = made as HTMLSelectElement;
    const choice = choices.find((_, index) => value === `choice ${index}`);
    if (choice) onChange(choice.value);
  });
  return made;
}

/** A ring that turns while something is awaited; its text is what a screen reader hears. */
export function progress(label: string): HTMLElement {
  return element('span', { class: 'progress', role: 'status' }, [
    element('vscode-progress-ring', { 'aria-hidden': 'true' }),
    label,
  ]);
}
