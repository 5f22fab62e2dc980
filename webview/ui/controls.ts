/**
 * The toolkit's controls behind functions of our own: the toolkit is frozen upstream, so only this folder may import
 * it and replacing it is a change of one file. Every control gets its accessible name here.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';
import { element } from './dom.ts';

/** Registers the custom elements; once, before the first control is made. */
export function registerControls(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeProgressRing());
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

/** A ring that turns while something is awaited; its text is what a screen reader hears. */
export function progress(label: string): HTMLElement {
  return element('span', { class: 'progress', role: 'status' }, [
    element('vscode-progress-ring', { 'aria-hidden': 'true' }),
    label,
  ]);
}
