/**
 * The chart "The group": all rollouts of one prompt in one step, sorted by total push, what each pushes in either channel,
 * and below their numbers and texts as columns with the common beginning folded.
 * Leaves out the order (groupOrder.ts), the columns (groupColumns.ts) and where the group comes from (groupLoader.ts).
 */
import { scaleLinear } from 'd3';
import { countText, numberText, rewardText, signedText } from '../../src/base/numberText.ts';
import { verdictSign } from '../../src/protocol/texts.ts';
import { accColour, foreground, leftAxis, signedTick, textNode, toolColour, toolDash } from './axes.ts';
import { contributionColumnNames } from './contributionColumns.ts';
import { makeGroupColumns, type GroupColumns } from './groupColumns.ts';
import { memberText, orderedMembers, shortQuestion, spokenMember, type OrderedMember } from './groupOrder.ts';
import type {
  Drawing,
  NothingDrawn,
  PanelChart,
  PanelContext,
  PanelInput,
  Spot,
  TableColumn,
  TableData,
} from './panelChart.ts';
import { spotsOfLines } from './spots.ts';
import { px, svg, type SvgNode } from '../ui/svgNode.ts';
import { rolloutWhy } from './whySums.ts';
import { modeNames } from './weights.ts';

const height = 190;
const margin = { left: 48, right: 12, top: 20, bottom: 22 };
/** A slot this wide has room for a word below it. */
const wordPx = 34;
/** A slot narrower than this has no room for two bars side by side. */
const barsPx = 7;

/** All rollouts of one prompt in one step. */
export const groupChart: PanelChart = {
  id: 'group',
  title: 'The group',
  unit: ({ mode }) => `w·A of each rollout, ${modeNames[mode]}`,
  about:
    'All rollouts of one prompt in one step, the largest total push first: w_acc·A_acc solid, w_tool·A_tool dashed, their sum as a line across. Below, each rollout is a column: r_acc = 0.9·r_ans + 0.1·r_fmt, r_tool = 1/(T+1) if right, T, both advantages, the push, then its text; what all columns begin with is folded above them. A_acc = (r_acc − mean)/(std + 1e-6) over the group, A_tool = (r_tool − mean_Q)/(std_Q + 1e-6) over the right ones (Q). Rest on a number, or press w, for the sum it comes from.',
  columns: [...contributionColumnNames, 'key', 'group'],
  wide: true,
  make: (context) => {
    let columns: GroupColumns | null = null;
    return {
      details: () => {
        columns = makeGroupColumns(context);
        return columns.node;
      },
      draw: (input, width) => {
        const members = orderedMembers(input);
        columns?.update(input, members);
        return drawGroup(input, { width, members, context });
      },
    };
  },
};

interface GroupOptions {
  readonly width: number;
  readonly members: readonly OrderedMember[];
  readonly context: PanelContext;
}

function drawGroup(input: PanelInput, options: GroupOptions): Drawing | NothingDrawn {
  if (!input.focus) return { missing: 'Choose a run above.' };
  if (input.selection.group === null) {
    return {
      missing: 'No group is selected: press g on a rollout, or ▸ in the list, to see all rollouts of its prompt.',
    };
  }
  const view = input.group?.view;
  if (!view) return { missing: 'Reading the group…' };
  const { width, members, context } = options;
  const right = Math.max(margin.left + 1, width - margin.right);
  const pushes = members.flatMap(({ acc, tool, push }) => [acc, tool, push].filter(Number.isFinite));
  const limits = [Math.min(-1e-9, ...pushes), Math.max(1e-9, ...pushes)];
  const y = scaleLinear()
    .domain(limits)
    .nice(4)
    .range([height - margin.bottom, margin.top]);
  const slot = (right - margin.left) / Math.max(1, members.length);
  const place: Place = { y, slot, x: (index) => margin.left + index * slot };
  return {
    height,
    rasters: [],
    nodes: [
      textNode('push: accuracy solid, efficiency dashed, together a line', { x: margin.left, y: margin.top - 8 }),
      leftAxis({ ticks: y.ticks(4), scale: y, text: signedTick }, { x: margin.left, right }),
      svg('line', { x1: margin.left, x2: right, y1: y(0), y2: y(0), stroke: foreground, 'stroke-opacity': 0.4 }),
      ...barNodes(members, place),
      ...wordNodes(members, place),
      ...chosenNodes(input, members, place),
    ],
    spots: spotsOfLines([members.map((one, index) => spotOf(one, { index, place, size: view.size, input, context }))]),
    brushes: [],
    summary: sentence(input, members),
    table: () => tableOf(input, members),
  };
}

interface Place {
  readonly y: (value: number) => number;
  readonly slot: number;
  readonly x: (index: number) => number;
}

function barNodes(members: readonly OrderedMember[], { y, slot, x }: Place): SvgNode[] {
  const wide = slot >= barsPx;
  const half = wide ? Math.min(14, (slot - 3) / 2) : Math.max(0.5, slot - 0.5);
  const bar = (value: number, left: number, channel: 'acc' | 'tool'): SvgNode[] => {
    if (!Number.isFinite(value) || value === 0) return [];
    const [top, bottom] = [Math.min(y(0), y(value)), Math.max(y(0), y(value))];
    const look =
      channel === 'acc'
        ? { fill: accColour }
        : { fill: toolColour, 'fill-opacity': 0.3, stroke: toolColour, 'stroke-dasharray': wide ? toolDash : null };
    return [
      svg('rect', {
        class: `bar ${channel}`,
        x: left,
        y: top,
        width: half,
        height: Math.max(1, bottom - top),
        ...look,
      }),
    ];
  };
  return members.flatMap(({ acc, tool, push }, index) => {
    const middle = x(index) + slot / 2;
    const line = Number.isFinite(push)
      ? [
          svg('path', {
            class: 'push',
            d: `M${px(middle - Math.max(1, slot / 2 - 1))},${px(y(push))}H${px(middle + Math.max(1, slot / 2 - 1))}`,
            stroke: foreground,
            'stroke-width': 2,
            fill: 'none',
          }),
        ]
      : [];
    return [
      ...bar(acc, wide ? middle - half - 0.5 : middle - half / 2, 'acc'),
      ...bar(tool, wide ? middle + 0.5 : middle - half / 2, 'tool'),
      ...line,
    ];
  });
}

/** "✓ T 2" below each, where there is room. */
function wordNodes(members: readonly OrderedMember[], { slot, x }: Place): SvgNode[] {
  if (slot < wordPx) return [];
  return members.map(({ member: { row } }, index) =>
    textNode(`${verdictSign(row.correct)} T ${countText(row.calls)}`, {
      x: x(index) + slot / 2,
      y: height - 6,
      anchor: 'middle',
    }),
  );
}

/** A frame around the rollout that is looked at. */
function chosenNodes({ selection }: PanelInput, members: readonly OrderedMember[], { slot, x }: Place): SvgNode[] {
  const index = members.findIndex(({ member }) => member.row.member === selection.rollout);
  if (index < 0) return [];
  const tall = height - margin.top - margin.bottom;
  const frame = { x: x(index), y: margin.top, width: slot, height: tall };
  return [svg('rect', { class: 'selected', ...frame, fill: foreground, 'fill-opacity': 0.08, stroke: foreground })];
}

interface SpotOptions {
  readonly index: number;
  readonly place: Place;
  readonly size: number;
  readonly input: PanelInput;
  readonly context: PanelContext;
}

function spotOf(one: OrderedMember, { index, place, size, input, context }: SpotOptions): Spot {
  const { y, slot, x } = place;
  const tall = height - margin.top - margin.bottom;
  const { focus } = input;
  return {
    x: x(index) + slot / 2,
    y: (y(0) + (Number.isFinite(one.push) ? y(one.push) : y(0))) / 2,
    width: slot,
    height: Math.min(tall, 40),
    spoken: spokenMember(one, size),
    pick: () => {
      context.select({ rollout: one.member.row.member });
    },
    why: () =>
      focus && one.row >= 0
        ? rolloutWhy(input, focus, one.row)
        : { kind: 'rollout', run: input.group?.run ?? '', key: one.member.key, sums: [] },
  };
}

function sentence({ group }: PanelInput, members: readonly OrderedMember[]): string {
  const view = group?.view;
  if (!view) return '';
  const right = members.filter(({ member }) => member.row.correct === true).length;
  const acc = view.accEqual
    ? 'equal rewards, so A_acc is 0 for all'
    : `r_acc has mean ${numberText(view.accMean)} and std ${numberText(view.accStd)}`;
  const tool =
    view.qualifying < 2
      ? 'fewer than two right, so A_tool is 0 for all'
      : view.toolEqual
        ? 'equal T among the right ones, so A_tool is 0 for all'
        : `r_tool over Q has mean ${numberText(view.toolMean)} and std ${numberText(view.toolStd)}`;
  const ends = [members[0], members.filter(({ push }) => Number.isFinite(push)).at(-1)];
  const pushes = ends.flatMap((one) =>
    one && Number.isFinite(one.push)
      ? [`${signedText(one.push)} (${memberText(one, view.size).split(' of ')[0] ?? ''})`]
      : [],
  );
  const cut = members.length < view.size ? ` The first ${countText(members.length)} are shown.` : '';
  return `Step ${view.step}, “${shortQuestion(view.question)}”: ${countText(right)} of ${countText(view.size)} right (|Q| ${countText(view.qualifying)}); ${acc}; ${tool}${pushes.length === 2 ? `; pushes from ${pushes.join(' to ')}` : ''}.${cut}`;
}

function tableOf({ group }: PanelInput, members: readonly OrderedMember[]): TableData {
  const number = (
    title: string,
    of: (one: OrderedMember) => number | null,
    text: (value: number | null) => string,
  ): TableColumn => {
    const value = (index: number): number | null => {
      const one = members[index];
      const found = one ? of(one) : null;
      return found === null || Number.isNaN(found) ? null : found;
    };
    return { title, value, text: (index) => text(value(index)) };
  };
  const verdict = (index: number): string => verdictSign(members[index]?.member.row.correct ?? null);
  return {
    caption: `Step ${group?.view?.step ?? 0}: the rollouts of a prompt, largest push first`,
    rows: members.length,
    columns: [
      number('rollout', ({ member }) => member.row.member, countText),
      { title: 'right', value: verdict, text: verdict },
      number('T', ({ member }) => member.row.calls, countText),
      number('redundant calls', ({ member }) => member.row.redundantCalls, countText),
      number('r_ans', ({ member }) => member.answerReward, numberText),
      number('r_fmt', ({ member }) => member.formatReward, numberText),
      number('r_acc', ({ member }) => member.row.accReward, rewardText),
      number('r_tool', ({ member }) => member.row.toolReward, numberText),
      number('A_acc', ({ member }) => member.row.accAdvantage, signedText),
      number('logged advantage', ({ member }) => member.row.loggedAdvantage, signedText),
      number('A_tool', ({ member }) => member.row.toolAdvantage, signedText),
      number('accuracy push', ({ acc }) => acc, signedText),
      number('efficiency push', ({ tool }) => tool, signedText),
      number('push', ({ push }) => push, signedText),
    ],
  };
}
