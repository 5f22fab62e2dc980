/**
 * The drill path on the page: run › steps › region › group, each a button that goes there, and Back.
 * Leaves out where it leads (drill.ts) and the keys, which are the page's (main.ts).
 */
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import type { Crumb } from './drill.ts';
import type { Selection } from './panelChart.ts';

/** The path on the page. */
export interface DrillPath {
  readonly node: HTMLElement;
  /** `canGoBack`: whether Back leads anywhere. */
  update(crumbs: readonly Crumb[], canGoBack: boolean): void;
}

/** Makes an empty path. */
export function makeDrillPath(events: { onGo: (selection: Selection) => void; onBack: () => void }): DrillPath {
  const list = element('ol', { class: 'crumbs' });
  const back = button({ label: 'Back', title: 'Back to what was looked at before (Escape)', onClick: events.onBack });
  const node = element('nav', { class: 'path', 'aria-label': 'Drill path' }, [list, back]);
  let drawn = '';
  return {
    node,
    update: (crumbs, canGoBack) => {
      back.hidden = !canGoBack;
      node.hidden = crumbs.length === 0;
      const look = JSON.stringify(crumbs);
      if (look === drawn) return;
      drawn = look;
      list.replaceChildren(
        ...crumbs.map(({ text, selection }, index) => {
          if (index === crumbs.length - 1) return element('li', { 'aria-current': 'location' }, [text]);
          const made = element('button', { type: 'button', class: 'crumb' }, [text]);
          made.addEventListener('click', () => {
            events.onGo(selection);
          });
          return element('li', {}, [made]);
        }),
      );
    },
  };
}
