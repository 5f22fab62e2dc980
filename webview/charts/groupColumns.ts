/**
 * The rollouts of a group side by side: each column has its numbers, then its text, of which what all begin with is folded
 * once above them. Arrows move along, Enter looks at one, o opens its transcript, c marks two for the diff, w asks why.
 * Leaves out the order (groupOrder.ts) and the one that is looked at (rolloutDetail.ts).
 */
import { countText, pluralText } from '../../src/base/numberText.ts';
import { element } from '../ui/dom.ts';
import { makeVirtualColumns } from '../ui/virtualColumns.ts';
import { memberNumbers, textNodes } from './groupColumn.ts';
import { memberText, spokenMember, type OrderedMember } from './groupOrder.ts';
import { makePair } from './pair.ts';
import type { PanelContext, PanelInput } from './panelChart.ts';
import { makeRolloutDetail } from './rolloutDetail.ts';
import { commonTurns, linesOfTurns, makeRolloutTexts, mostTexts } from './rolloutTexts.ts';
import { rolloutWhy } from './whySums.ts';

/** The columns on the page. */
export interface GroupColumns {
  readonly node: HTMLElement;
  update(input: PanelInput, members: readonly OrderedMember[]): void;
}

const columnPx = 300;
/** Sorting anew while a slider moves would shuffle columns under the pointer. */
const settleMs = 150;
/** Characters of the folded beginning that are shown. */
const mostPrefix = 40_000;

/** Makes no columns yet. */
export function makeGroupColumns(context: PanelContext): GroupColumns {
  let input: PanelInput | null = null;
  let members: readonly OrderedMember[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let shown: readonly unknown[] = [];
  /** Turns that are folded. */
  let folded = 0;

  const size = (): number => input?.group?.view?.size ?? members.length;
  /** Texts that are read to see what all begin with. */
  const compared = (): readonly OrderedMember[] => members.slice(0, mostTexts);
  const texts = makeRolloutTexts(context.api, {
    onText: () => {
      const before = folded;
      fold();
      // The columns of which nothing changed keep their nodes.
      for (const index of members.keys()) if (folded !== before || !drawn.has(index)) columns.refresh(index);
    },
    onError: (error) => {
      unread += 1;
      fold();
      context.showError(error);
    },
  });
  /** Texts that could not be read. */
  let unread = 0;
  /** Columns that show their text. */
  const drawn = new Set<number>();
  const pair = makePair(context, {
    onMarked: () => {
      for (const index of members.keys()) columns.refresh(index);
    },
  });
  const help = element('p', { class: 'sentence hint' }, [
    '← → between rollouts, Enter looks at one, o opens its transcript, c marks two to compare, w says why.',
  ]);
  const heading = element('summary');
  const common = element('div', { class: 'text' });
  const prefix = element('details', { class: 'prefix', hidden: true }, [heading, common]);
  const detail = makeRolloutDetail(context);

  const open = (one: OrderedMember): void => {
    context.api.openRollout({ ref: one.member.row.ref }).catch(context.showError);
  };
  const why = (one: OrderedMember, how: 'rest' | 'pin', from: HTMLElement): void => {
    context.showWhy({
      how,
      from,
      title: spokenMember(one, size()),
      make: () =>
        input?.focus && one.row >= 0
          ? rolloutWhy(input, input.focus, one.row)
          : { kind: 'rollout', run: one.member.row.ref.run, key: one.member.key, sums: [] },
    });
  };
  const action = (label: string, options: { title: string; pressed?: boolean; onClick: () => void }): HTMLElement => {
    const { title, pressed } = options;
    const made = element(
      'button',
      { type: 'button', class: 'crumb', title, 'aria-pressed': pressed === undefined ? null : String(pressed) },
      [label],
    );
    made.addEventListener('click', options.onClick);
    return made;
  };
  const columns = makeVirtualColumns({
    label: 'Rollouts of the group, largest push first',
    columnPx,
    name: (index) => {
      const one = members[index];
      return one ? spokenMember(one, size()) : '';
    },
    content: (index) => {
      const one = members[index];
      if (!one) return [];
      const { ref } = one.member.row;
      const looked = input?.selection.rollout === one.member.row.member;
      const text = texts.of(ref);
      if (text !== null) drawn.add(index);
      const numbers = memberNumbers(one, (from, how) => {
        why(one, how, from);
      });
      numbers.addEventListener('pointerleave', context.leaveWhy);
      return [
        element('header', {}, [
          element('h3', {}, [`${memberText(one, size())}${looked ? ' ◂' : ''}`]),
          action('Look', {
            title: 'Its sums and calls, below (Enter)',
            pressed: looked,
            onClick: () => {
              context.select({ rollout: one.member.row.member });
            },
          }),
          action('Open', {
            title: 'Open its transcript (o)',
            onClick: () => {
              open(one);
            },
          }),
          action('Compare', {
            title: 'Mark it; the second one that is marked opens both side by side (c)',
            pressed: pair.has(one.member.key),
            onClick: () => {
              pair.mark(one.member.key, ref);
            },
          }),
        ]),
        numbers,
        text === null
          ? element('p', { class: 'missing' }, ['Reading its text…'])
          : textNodes(text, {
              first: folded,
              onCall: (call) => {
                context.api.openCall({ ref, call }).catch(context.showError);
              },
            }),
      ];
    },
    onSight: () => undefined,
    onPick: (index) => {
      const one = members[index];
      if (one) context.select({ rollout: one.member.row.member });
    },
    onKey: (key, index, column) => {
      const one = members[index];
      if (!one) return false;
      if (key === 'o') open(one);
      else if (key === 'c') pair.mark(one.member.key, one.member.row.ref);
      else if (key === 'w') why(one, 'pin', column);
      else return false;
      return true;
    },
  });

  /** What the texts that are known begin with. */
  const fold = (): void => {
    const wanted = compared();
    const read = wanted.flatMap(({ member }) => texts.peek(member.row.ref) ?? []);
    // Not before all are read: what some begin with would hide where the others differ.
    folded = read.length + unread < wanted.length ? 0 : commonTurns(read);
    const [first] = read;
    prefix.hidden = folded === 0 || !first;
    if (folded === 0 || !first) return;
    const { lines } = linesOfTurns(first, { first: 0, end: folded });
    const text = lines.join('\n');
    const labels = first.turns.slice(0, folded).map(({ label }) => label);
    const of = read.length === size() ? `all ${countText(size())}` : `the ${countText(read.length)} that are read`;
    heading.textContent = `The same in ${of}: ${labels.join(', ')} (${pluralText(text.length, 'character')})`;
    common.textContent = text.length > mostPrefix ? `${text.slice(0, mostPrefix)}\n…` : text;
  };

  const show = (): void => {
    timer = null;
    const key = members.map(({ member }) => member.key);
    const view = input?.group?.view ?? null;
    const next = [view, key.join(), input?.selection.rollout, input?.mode, input?.weights.acc, input?.weights.tool];
    if (next.length === shown.length && next.every((part, index) => part === shown[index])) return;
    const sameGroup = shown[0] === view;
    shown = next;
    if (!sameGroup) {
      pair.clear();
      unread = 0;
    }
    drawn.clear();
    for (const { member } of compared()) texts.of(member.row.ref);
    fold();
    const looked = members.findIndex(({ member }) => member.row.member === input?.selection.rollout);
    columns.reset(members.length, Math.max(0, looked));
  };
  const body = element('div', { hidden: true }, [help, prefix, pair.node, columns.node, detail.node]);

  return {
    node: element('div', { class: 'details' }, [body]),
    update: (nextInput, nextMembers) => {
      const slides = input !== null && input.weights !== nextInput.weights && nextMembers.length === members.length;
      [input, members] = [nextInput, nextMembers];
      body.hidden = members.length === 0;
      detail.update(input, members);
      if (timer) clearTimeout(timer);
      if (slides) timer = setTimeout(show, settleMs);
      else show();
    },
  };
}
