/**
 * The sums of one rollout as elements: its lines, what the page makes of them, and the members of its group, of which each
 * opens its transcript. Used by the card and by the group view. Text may come from logs: text nodes only.
 */
import { arithmeticLines, memberLines } from '../../src/protocol/arithmetic.ts';
import type { Explanation, RolloutRef } from '../../src/protocol/engine.ts';
import { element } from '../ui/dom.ts';
import { shortQuestion } from './groupOrder.ts';

/** What the sums are shown with. */
export interface ExplanationOptions {
  /** How the page weighs the advantages. */
  readonly sums: readonly string[];
  /** Opens a member; null where nothing can be pressed. */
  readonly open: ((ref: RolloutRef) => void) | null;
}

/** What trainers that sum in float32 leave where all rewards are equal, at most (hdpo.md section 2). */
const mostResidue = 0.15;

/** The sums as a list of lines, then the members. */
export function explanationNodes(explanation: Explanation, { sums, open }: ExplanationOptions): readonly HTMLElement[] {
  const { row } = explanation;
  const who = `step ${row.step}, “${shortQuestion(row.question)}”, rollout ${row.member} of ${row.groupSize}`;
  const lines = [who, ...arithmeticLines(explanation).map(({ text }) => text), ...residueLines(explanation), ...sums];
  const members = memberLines(explanation);
  return [
    element(
      'ul',
      { class: 'sums' },
      lines.map((line) => element('li', {}, [line])),
    ),
    element('ul', { class: 'sums members', 'aria-label': 'Members of the group' }, [
      ...members.map((line, index) => {
        const ref = explanation.members[index]?.ref;
        const own = explanation.members[index]?.member === explanation.row.member;
        if (!open || !ref) return element('li', { class: own ? 'own' : '' }, [line]);
        const button = element('button', { type: 'button', class: 'crumb', title: 'Open the transcript' }, [line]);
        button.addEventListener('click', () => {
          open(ref);
        });
        return element('li', { class: own ? 'own' : '' }, [button]);
      }),
    ]),
  ];
}

/** A logged advantage where the recomputed one is exactly 0 has a known cause, which is named. */
function residueLines({ row, accEqual }: Explanation): readonly string[] {
  const logged = row.loggedAdvantage;
  if (logged === null || logged === 0 || !accEqual || Math.abs(logged) > mostResidue) return [];
  return ['Equal rewards give exactly 0; sums in float32 leave such a residue, which the trainer counted as signal.'];
}
