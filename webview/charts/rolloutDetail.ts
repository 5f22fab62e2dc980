/**
 * The rollout of the group that is looked at, below the columns: the sums of its advantages with the members of the
 * group, and its calls, of which each opens the transcript there. The last level of the drill path in the page.
 * Leaves out the sums themselves (explanationNodes.ts) and other rollouts.
 */
import { durationText } from '../../src/base/numberText.ts';
import type { RolloutText } from '../../src/protocol/charts.ts';
import type { Explanation, RolloutRef } from '../../src/protocol/engine.ts';
import { redundancyText } from '../../src/protocol/texts.ts';
import { element } from '../ui/dom.ts';
import { explanationNodes } from './explanationNodes.ts';
import { memberText, type OrderedMember } from './groupOrder.ts';
import type { PanelContext, PanelInput } from './panelChart.ts';
import { makePickList } from './pickList.ts';
import { pushSums } from './whySums.ts';

/** Sums written anew with each frame of a slider would only flicker. */
const settleMs = 120;

/** The rollout on the page. */
export interface RolloutDetail {
  readonly node: HTMLElement;
  update(input: PanelInput, members: readonly OrderedMember[]): void;
}

/** Makes it hidden. */
export function makeRolloutDetail(context: PanelContext): RolloutDetail {
  const { api, showError } = context;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let weighed = '';
  const title = element('h3');
  const sums = element('div');
  const without = element('p', { class: 'missing' });
  const calls = makePickList({
    label: 'Calls of this rollout; Enter opens the transcript at the call',
    id: 'call',
    onPick: (key) => {
      if (looked) api.openCall({ ref: looked.member.row.ref, call: Number(key) }).catch(showError);
    },
  });
  const node = element('section', { class: 'rollout', hidden: true, 'aria-label': 'The rollout that is looked at' }, [
    title,
    element('div', { class: 'halves' }, [sums, element('div', {}, [without, calls.node])]),
  ]);

  /** The one that is read, with what was read of it. */
  let read: { readonly member: OrderedMember['member']; explanation: Explanation | null } | null = null;
  let input: PanelInput | null = null;
  let looked: OrderedMember | null = null;

  const showSums = (): void => {
    if (!read?.explanation || !input || !looked) return;
    const pushes = input.focus && looked.row >= 0 ? pushSums(input, input.focus, looked.row) : [];
    const open = (other: RolloutRef): void => {
      api.openRollout({ ref: other }).catch(showError);
    };
    sums.replaceChildren(...explanationNodes(read.explanation, { sums: pushes, open }));
  };
  const load = async (member: OrderedMember['member']): Promise<void> => {
    const mine = { member, explanation: null };
    read = mine;
    sums.replaceChildren(element('p', { class: 'missing' }, ['Reading the sums…']));
    without.textContent = '';
    calls.update([]);
    const { ref } = member.row;
    const [explanation, text] = await Promise.all([context.explain(ref.run, member.key), api.rolloutText({ ref })]);
    if (read !== mine) return;
    read = { member, explanation };
    showSums();
    without.textContent = text.calls.length === 0 ? 'It calls no tool.' : 'Calls; Enter opens the transcript there:';
    calls.update(text.calls.map(callRow));
  };
  const showSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      showSums();
    }, settleMs);
  };

  return {
    node,
    update: (nextInput, members) => {
      const one = members.find(({ member }) => member.row.member === nextInput.selection.rollout) ?? null;
      [input, looked] = [nextInput, one];
      node.hidden = one === null;
      if (one === null) {
        read = null;
        return;
      }
      const size = nextInput.group?.view?.size ?? members.length;
      title.textContent = `${memberText(one, size)}: why its advantages are what they are`;
      const next = [nextInput.mode, nextInput.weights.acc, nextInput.weights.tool].join();
      if (read?.member !== one.member) load(one.member).catch(showError);
      else if (next !== weighed) showSoon();
      weighed = next;
    },
  };
}

function callRow({ call, tool, latencyMs, redundant }: RolloutText['calls'][number]) {
  return {
    key: String(call),
    cells: [
      `call ${call + 1}  ${tool ?? '(no tool named)'}`,
      latencyMs === null ? '' : durationText(latencyMs),
      redundant.length === 0 ? '' : `⚠ ${redundancyText(redundant)}`,
    ],
  };
}
