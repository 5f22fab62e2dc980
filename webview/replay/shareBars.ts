/**
 * Both arms of a counterfactual as a small picture: share right with its Wilson interval, and Newcombe's interval of the
 * difference against zero. Signs differ in shape, not in colour alone. Pure. The numbers stand beside it as text.
 */
import type { ArmShare, BranchResult } from '../../src/protocol/replay.ts';
import { svg, type SvgNode } from '../ui/svgNode.ts';

const widthPx = 260;
const rowPx = 18;

/** The drawing; an arm without a judged sample has no mark. */
export function shareBars({
  intervention,
  control,
  difference,
}: Pick<BranchResult, 'intervention' | 'control' | 'difference'>): SvgNode {
  const x = (share: number): number => 6 + share * (widthPx - 12);
  const signed = (value: number): number => x((value + 1) / 2);
  const arm = ({ share, low, high }: ArmShare, row: number, kind: 'changed' | 'control'): readonly SvgNode[] => {
    const y = row * rowPx + rowPx / 2;
    const base = svg('line', { x1: x(0), x2: x(1), y1: y, y2: y, class: 'grid' });
    if (share === null) return [base];
    const mark =
      kind === 'changed'
        ? svg('rect', { x: x(share) - 4, y: y - 4, width: 8, height: 8, class: `armMark ${kind}` })
        : svg('circle', { cx: x(share), cy: y, r: 4.5, class: `armMark ${kind}` });
    const bar =
      low === null || high === null
        ? []
        : [svg('line', { x1: x(low), x2: x(high), y1: y, y2: y, class: `armInterval ${kind}` })];
    return [base, ...bar, mark];
  };
  const y = 2 * rowPx + rowPx / 2;
  const delta =
    difference === null
      ? []
      : [
          svg('line', { x1: signed(-1), x2: signed(1), y1: y, y2: y, class: 'grid' }),
          svg('line', { x1: signed(0), x2: signed(0), y1: y - 7, y2: y + 7, class: 'zero' }),
          svg('line', {
            x1: signed(difference.low),
            x2: signed(difference.high),
            y1: y,
            y2: y,
            class: 'armInterval delta',
          }),
          svg('path', {
            d: `M ${signed(difference.value)} ${y - 5} l 5 5 l -5 5 l -5 -5 z`,
            class: 'armMark delta',
          }),
        ];
  return svg('svg', { viewBox: `0 0 ${widthPx} ${3 * rowPx}`, class: 'shares', 'aria-hidden': 'true' }, [
    ...arm(intervention, 0, 'changed'),
    ...arm(control, 1, 'control'),
    ...delta,
  ]);
}
