/**
 * The export on the page: form, file and pictures, and the button that opens the dialog. Leaves out writing (the engine's)
 * and saying that it was written (the host's notification).
 */
import { curateTexts as texts } from '../../src/protocol/curateTexts.ts';
import type { CurationExport, CurationStage } from '../../src/protocol/curation.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { select } from '../ui/select.ts';
import { formsOf, type PageState } from './pageState.ts';

/** What the part tells. */
export interface ExportPartEvents {
  readonly onTarget: (target: PageState['target']) => void;
  readonly onExport: (target: PageState['target']) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** The part on the page. */
export interface ExportPart {
  readonly node: HTMLElement;
  reset(stage: CurationStage, target: PageState['target']): void;
}

/** Makes the part; `reset` fills it. */
export function makeExportPart({ onTarget, onExport, onError }: ExportPartEvents): ExportPart {
  const controls = element('div', { class: 'controls' });
  const written = element('p', { class: 'about', id: 'form-says', role: 'status' });
  let target: PageState['target'] | null = null;
  const set = (change: Partial<PageState['target']>): void => {
    if (target === null) return;
    target = { ...target, ...change };
    onTarget(target);
  };
  const node = element('section', { class: 'part', id: 'export', 'aria-label': texts.exportTitle }, [
    element('h2', {}, [texts.exportTitle]),
    element('p', { class: 'about' }, [texts.exportIntro]),
    controls,
    written,
    element('div', { class: 'actions' }, [
      button({
        label: texts.exportRows,
        title: texts.exportRowsTitle,
        onClick: () => {
          if (target !== null) onExport(target).catch(onError);
        },
      }),
    ]),
  ]);
  return {
    node,
    reset: (stage, next) => {
      target = next;
      written.textContent = texts.formWrites[stage][next.form];
      const forms: readonly CurationExport['form'][] = formsOf[stage];
      controls.replaceChildren(
        select<string>({
          label: texts.form,
          choices: Object.fromEntries(forms.map((form) => [form, texts.forms[form]])),
          chosen: next.form,
          onChange: (value) => {
            const form = forms.find((known) => known === value);
            if (!form) return;
            set({ form });
            written.textContent = texts.formWrites[stage][form];
          },
        }),
        select({
          label: texts.format,
          choices: texts.formats,
          chosen: next.format,
          onChange: (format) => {
            set({ format });
          },
        }),
        select({
          label: texts.images,
          choices: texts.imageChoices,
          chosen: next.images,
          onChange: (images) => {
            set({ images });
          },
        }),
      );
    },
  };
}
