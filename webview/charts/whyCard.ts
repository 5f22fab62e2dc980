/**
 * "Why is this number what it is": a card beside a mark or a number that shows the sum it comes from and the members of
 * it. It opens when the pointer or the keyboard rests, and goes when they leave; the key w pins it, with the keyboard in
 * it, until Escape. Leaves out the sums (whySums.ts, explanationNodes.ts) and who asks.
 */
import { countText, pluralText } from '../../src/base/numberText.ts';
import type { RolloutRef } from '../../src/protocol/engine.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { explanationNodes } from './explanationNodes.ts';
import type { Explanations } from './explanations.ts';
import type { Why } from './panelChart.ts';

/** A place of the window in px. */
export type ClientBox = Pick<DOMRect, 'left' | 'top' | 'right' | 'bottom'>;

/** What is asked, beside what, and who gets the keyboard back. */
export interface WhyAsked {
  readonly title: string;
  readonly why: Why;
  readonly box: ClientBox;
  readonly from: HTMLElement | SVGElement | null;
}

/** What the card does for its reader. */
export interface WhyCardEvents {
  readonly onOpen: (run: string, key: number) => void;
  readonly onOpenRef: (ref: RolloutRef) => void;
}

/** The card of the page: one at a time. */
export interface WhyCard {
  readonly node: HTMLElement;
  /** Something is rested on: the card opens after a moment. Asking the same again changes nothing. */
  rest(make: () => WhyAsked | null, what: string): void;
  /** Opens at once and keeps it open; nothing for null. */
  pin(make: () => WhyAsked | null): void;
  /** What is known changed: an open card is made anew, and goes where there is nothing to tell any more. */
  renew(): void;
  /** What was rested on was left; a pinned card stays. */
  leave(): void;
  /** Closes it; false where there was none. */
  dismiss(): boolean;
}

const restMs = 400;
const gapPx = 10;

/** Makes a closed card. */
export function makeWhyCard(explanations: Explanations, events: WhyCardEvents): WhyCard {
  const node = element('div', { class: 'why', tabindex: -1, hidden: true });
  let timer: ReturnType<typeof setTimeout> | null = null;
  let what: string | null = null;
  let pinned: WhyAsked | null = null;
  /** What made the open card, and what it tells. */
  let again: (() => WhyAsked | null) | null = null;
  let told = '';
  /** Counts what was shown, so that a late answer does not take the place of a newer one. */
  let shown = 0;

  const place = ({ left, top, right, bottom }: ClientBox): void => {
    const { width, height } = node.getBoundingClientRect();
    const [roomX, roomY] = [globalThis.innerWidth, globalThis.innerHeight];
    const x = right + gapPx + width <= roomX ? right + gapPx : Math.max(0, left - gapPx - width);
    const y = bottom + gapPx + height <= roomY ? bottom + gapPx : Math.max(0, Math.min(top, roomY - height - gapPx));
    node.style.setProperty('left', `${Math.round(x)}px`);
    node.style.setProperty('top', `${Math.round(y)}px`);
  };
  const close = (): void => {
    shown += 1;
    pinned = null;
    what = null;
    again = null;
    node.hidden = true;
    delete document.documentElement.dataset['why'];
  };
  const show = (asked: WhyAsked): void => {
    shown += 1;
    const mine = shown;
    const isPinned = pinned === asked;
    told = JSON.stringify(asked.why);
    const fill = (body: readonly HTMLElement[]): void => {
      const hint = isPinned ? [closeButton()] : [element('p', { class: 'hint' }, ['w keeps this open'])];
      node.replaceChildren(element('p', { class: 'title' }, [asked.title]), ...body, ...hint);
      place(asked.box);
    };
    node.hidden = false;
    // Hides the tooltip, whose words the card repeats.
    document.documentElement.dataset['why'] = 'open';
    node.classList.toggle('pinned', isPinned);
    if (isPinned) {
      node.setAttribute('role', 'dialog');
      node.setAttribute('aria-label', `Why: ${asked.title}`);
      node.removeAttribute('aria-hidden');
    } else {
      node.removeAttribute('role');
      node.removeAttribute('aria-label');
      // What is rested on says its value itself; the key w brings a reader here.
      node.setAttribute('aria-hidden', 'true');
    }
    const { why } = asked;
    if (why.kind === 'members') {
      fill(memberNodes(why, isPinned));
      return;
    }
    fill([element('p', {}, ['Reading the sums…'])]);
    explanations.of(why.run, why.key).then(
      (explanation) => {
        if (mine !== shown) return;
        const focused = node.contains(document.activeElement) && document.activeElement !== node;
        fill(explanationNodes(explanation, { sums: why.sums, open: isPinned ? events.onOpenRef : null }));
        if (focused) node.focus();
      },
      (error: unknown) => {
        if (mine === shown) fill([element('p', {}, [error instanceof Error ? error.message : String(error)])]);
      },
    );
  };
  const memberNodes = (why: Extract<Why, { kind: 'members' }>, isPinned: boolean): readonly HTMLElement[] => {
    const { sums, members, count, select, selects, order = 'Rollouts with the largest push' } = why;
    const rest = count - members.length;
    return [
      element(
        'ul',
        { class: 'sums' },
        sums.map((line) => element('li', {}, [line])),
      ),
      element('ul', { class: 'sums members', 'aria-label': order }, [
        ...members.map(({ run = why.run, key, text }) => {
          if (!isPinned) return element('li', {}, [text]);
          const opens = element('button', { type: 'button', class: 'crumb', title: 'Open the transcript' }, [text]);
          opens.addEventListener('click', () => {
            events.onOpen(run, key);
          });
          return element('li', {}, [opens]);
        }),
        ...(rest > 0 && members.length > 0 ? [element('li', {}, [`… ${countText(rest)} more`])] : []),
      ]),
      ...(isPinned && select
        ? [
            button({
              label: `Select ${selects ?? pluralText(count, 'rollout')}`,
              title: 'Select the rollouts that this value is made of',
              onClick: () => {
                close();
                select();
              },
            }),
          ]
        : []),
    ];
  };
  const closeButton = (): HTMLElement =>
    button({
      label: 'Close',
      title: 'Close (Escape)',
      onClick: () => {
        giveBack();
      },
    });
  const giveBack = (): void => {
    const from = pinned?.from;
    close();
    from?.focus();
  };
  const stop = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
  };

  // What was rested on is somewhere else then.
  globalThis.addEventListener('scroll', () => {
    stop();
    if (!pinned) close();
  });
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    giveBack();
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    node,
    rest: (make, next) => {
      if (pinned || what === next) return;
      stop();
      if (!node.hidden) close();
      what = next;
      timer = setTimeout(() => {
        timer = null;
        const asked = make();
        again = make;
        if (asked) show(asked);
      }, restMs);
    },
    pin: (make) => {
      const asked = make();
      if (!asked) return;
      stop();
      pinned = asked;
      what = null;
      again = make;
      show(asked);
      node.focus();
    },
    renew: () => {
      if (node.hidden || again === null) return;
      const asked = again();
      if (!asked) {
        if (!pinned) close();
        return;
      }
      if (JSON.stringify(asked.why) === told) return;
      const focused = node.contains(document.activeElement);
      if (pinned) pinned = asked;
      show(asked);
      if (focused) node.focus();
    },
    leave: () => {
      stop();
      if (!pinned) close();
    },
    dismiss: () => {
      stop();
      if (node.hidden) return false;
      giveBack();
      return true;
    },
  };
}
