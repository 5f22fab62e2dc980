/**
 * The head of every figure: title, and the three buttons that every chart has (table, export, about). Export opens a row
 * of three: the drawing as SVG and PNG, its rows as CSV. Leaves out what is exported.
 */
import { button, toggleButton } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import type { FigureView } from './chart.ts';

/** What of a chart a file can hold. */
export type ExportKind = 'csv' | 'png' | 'svg';

/** What a head shows and tells. */
export interface FigureHeadOptions {
  readonly title: string;
  readonly about: string;
  readonly view: FigureView;
  readonly onTable: (open: boolean) => void;
  readonly onAbout: (open: boolean) => void;
  readonly onExport: (kind: ExportKind) => void;
}

/** A head on the page: its nodes stand at the top of the figure. */
export interface FigureHead {
  readonly nodes: readonly HTMLElement[];
  /** Shows another unit beside the title. */
  setUnit(unit: string): void;
}

/** Makes the head of a figure as it was left. */
export function makeFigureHead({ title, view, ...options }: FigureHeadOptions): FigureHead {
  const unit = element('span', { class: 'unit' });
  const about = element('p', { class: 'about', hidden: !view.about }, [options.about]);
  const kinds: readonly ExportKind[] = ['svg', 'png', 'csv'];
  const exports = element(
    'p',
    { class: 'exports', hidden: true },
    kinds.map((kind) =>
      button({
        label: kind.toUpperCase(),
        title: `Export ${title} as ${kind.toUpperCase()}`,
        onClick: () => {
          options.onExport(kind);
        },
      }),
    ),
  );
  const header = element('header', {}, [
    element('h2', {}, [title, unit]),
    toggleButton({
      label: 'Table',
      title: `Show ${title} as a table`,
      pressed: view.table,
      onToggle: options.onTable,
    }),
    toggleButton({
      label: 'Export',
      title: `Export ${title}`,
      pressed: false,
      onToggle: (open) => {
        exports.hidden = !open;
      },
    }),
    toggleButton({
      label: 'About',
      title: `What ${title} is`,
      pressed: view.about,
      onToggle: (open) => {
        about.hidden = !open;
        options.onAbout(open);
      },
    }),
  ]);
  return {
    nodes: [header, exports, about],
    setUnit: (text) => {
      if (unit.textContent !== text) unit.textContent = text;
    },
  };
}
