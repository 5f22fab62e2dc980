/**
 * One sentence for a flag out of its references and evidence, never the other way round: what is measured stays a number.
 * Text that a log wrote (an answer, a failure) is cut to one visible line.
 * Leaves out the words themselves (protocol/flagTexts.ts).
 */
import type { Flag } from '../analysis/redundancy/rule.ts';
import type { SiblingVerdict } from '../analysis/redundancy/sibling.ts';
import { isCodeTool } from '../analysis/redundancy/toolKinds.ts';
import type { Json } from '../base/json.ts';
import type { Rollout } from '../model/rollout.ts';
import { flagTexts as texts } from '../protocol/flagTexts.ts';
import type { KeptGain } from '../protocol/replay.ts';
import { redundancyText } from '../protocol/texts.ts';
import { turnLabels } from '../transcript/renderTurn.ts';
import { oneLine } from '../transcript/visibleText.ts';

const mostCharacters = 120;

/** "repeats call 1: same code, same result"; without a full stop. */
export function flagSentence(rollout: Rollout, flag: Flag): string {
  const { rule, refersTo } = flag;
  const evidence = new Map<string, Json>(flag.evidence.map(({ name, value }) => [name, value]));
  const number = (name: string): number | null => {
    const value = evidence.get(name);
    return typeof value === 'number' ? value : null;
  };
  const text = (name: string): string => {
    const value = evidence.get(name);
    return typeof value === 'string' ? oneLine(value, mostCharacters) : '';
  };
  const turn = flag.refersToTurn === null ? '' : (turnLabels(rollout)[flag.refersToTurn] ?? '');
  switch (rule) {
    case 'repeat': {
      const doubts = flag.evidence.flatMap(({ value }) => (typeof value === 'string' ? [oneLine(value, 80)] : []));
      const subject = isCodeTool(rollout.calls[flag.call]?.tool ?? null) ? 'code' : 'arguments';
      return texts.repeat(refersTo, subject, doubts.join(', '));
    }
    case 'twin':
      return texts.twin(refersTo);
    case 'blind-retry':
      return texts.blindRetry(refersTo, text('failure'));
    case 'refused':
      return texts.refused(refersTo);
    case 'echo':
      return texts.echo;
    case 'after-answer':
      return evidence.has('verification')
        ? texts.verification(turn, text('verification'))
        : texts.afterAnswer(turn, text('answer'));
    case 'near-repeat': {
      const overlap = number('iou');
      const links = number('shared_links');
      if (overlap !== null) return texts.sameCrop(refersTo, overlap);
      return links === null ? texts.sameResults(refersTo) : texts.sameLinks(refersTo, links);
    }
    case 'whole-image': {
      const covered = number('coverage');
      return covered === null ? texts.showsPrompt : texts.wholeImage(covered);
    }
    case 'subsumed':
      return texts.subsumed(refersTo, text('range'), text('inside'));
    case 'no-new-information': {
      const known = number('known_share');
      return known === null ? texts.confirmation(number('confirmation') ?? 0) : texts.known(refersTo, known);
    }
    case 'unused':
      return texts.unused(number('new_words') ?? 0);
    default:
      return texts.other(redundancyText([rule]));
  }
}

/** "3 too many: 3 of 3 siblings were right with no call: 100 % (44 % to 100 %); with more: …; guessing: 25 %". */
export function siblingSentence({ verdict, chance }: { verdict: SiblingVerdict; chance: number | null }): string {
  const { right, of, callsEnough, calls, share, others } = verdict;
  return [
    callsEnough === 0 ? '' : texts.siblingsTooMany(calls),
    texts.siblings(right, of, callsEnough, share),
    others === null ? texts.noOtherSiblings : texts.otherSiblings(others),
    chance === null ? '' : texts.chance(chance),
  ].join('');
}

/** "start knew the answer before it (93 %; the call added 0.01 nats); right 29 of 32 times without it"; without a full stop. */
export function replaySentence({ model, withoutCall, gain, fits, without }: KeptGain): string {
  return [
    texts.knownBefore(oneLine(model, mostCharacters), Math.exp(withoutCall), gain),
    without === null ? '' : texts.rightWithout(without.right, without.judged),
    fits === 'same' ? '' : texts.notChecked,
  ].join('');
}
