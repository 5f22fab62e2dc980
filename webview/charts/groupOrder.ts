/**
 * The members of the selected group in the order of their total push, with what each pushes in the page's mode and
 * weights. Pure. Leaves out where the group comes from (groupLoader.ts) and drawing.
 */
import { countText, numberText, pluralText, rewardText, signedText } from '../../src/base/numberText.ts';
import type { GroupViewMember } from '../../src/protocol/groupView.ts';
import { contributionsOfSamples } from './contributionColumns.ts';
import type { PanelInput } from './panelChart.ts';

/** A member with its place in the columns. */
export interface OrderedMember {
  readonly member: GroupViewMember;
  /** Row in the samples; −1 where the columns do not have it (yet). */
  readonly row: number;
  /** w_acc·A_acc and w_tool·A_tool in the page's mode; NaN where not known. */
  readonly acc: number;
  readonly tool: number;
  /** Their sum; a channel that is not known adds nothing. */
  readonly push: number;
}

/** The members, largest push first, those without one last, equal ones by file and row. */
export function orderedMembers({ group, focus, mode, weights }: PanelInput): readonly OrderedMember[] {
  const members = group?.view?.members ?? [];
  const contributions = contributionsOfSamples(focus?.samples ?? null, mode);
  const rows = rowsOfMembers(members, focus?.samples?.columns.key);
  const ordered = members.map((member, index): OrderedMember => {
    const row = rows[index] ?? -1;
    const acc = (contributions?.acc[row] ?? NaN) * weights.acc;
    const tool = (contributions?.tool[row] ?? NaN) * weights.tool;
    const push = Number.isNaN(acc) ? tool : Number.isNaN(tool) ? acc : acc + tool;
    return { member, row, acc, tool, push };
  });
  const rank = ({ push }: OrderedMember): number => (Number.isNaN(push) ? -Infinity : push);
  // The order of the members is that of the log, and sorting keeps it among equals.
  return ordered.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}

const found = new WeakMap<object, { readonly keys: Float64Array; readonly rows: readonly number[] }>();

/** Rows of the members in the samples; looked for once, since a slider asks with each frame. */
function rowsOfMembers(members: readonly GroupViewMember[], keys: Float64Array | undefined): readonly number[] {
  if (!keys) return [];
  const known = found.get(members);
  if (known?.keys === keys) return known.rows;
  const rows = members.map(({ key }) => keys.indexOf(key));
  found.set(members, { keys, rows });
  return rows;
}

/** "rollout 5 of 16" */
export function memberText({ member }: Pick<OrderedMember, 'member'>, size: number): string {
  return `rollout ${member.row.member} of ${size}`;
}

/** "rollout 5 of 16, right, T 2, r_acc 1.0, r_tool 0.333, A_acc +0.86, A_tool −0.70, push +0.75" */
export function spokenMember(one: OrderedMember, size: number): string {
  const { row, masked } = one.member;
  const verdict = row.correct === null ? 'not known whether right' : row.correct ? 'right' : 'wrong';
  const parts = [
    memberText(one, size),
    verdict,
    `T ${countText(row.calls)}`,
    ...(row.redundantCalls > 0 ? [pluralText(row.redundantCalls, 'redundant call')] : []),
    `r_acc ${rewardText(row.accReward)}`,
    `r_tool ${numberText(row.toolReward)}`,
    `A_acc ${signedText(row.accAdvantage)}`,
    `A_tool ${signedText(row.toolAdvantage)}`,
    ...(row.loggedAdvantage === null ? [] : [`logged advantage ${signedText(row.loggedAdvantage)}`]),
    `push ${signedText(one.push)}`,
    ...(masked ? ['no loss on it'] : []),
  ];
  return parts.join(', ');
}

/** A question as a sentence names it: one line, cut. */
export function shortQuestion(question: string): string {
  const text = question.replaceAll(/\s+/g, ' ').trim();
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}
