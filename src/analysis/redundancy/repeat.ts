/**
 * Rule `repeat`: the same tool with the same arguments gave the same observation again.
 * Proves: nothing that was read changed in between and the second answer is the first one, so the call told nothing new.
 * Does not prove: that the policy still had the first answer in mind. Polling (a later equal call that returns something
 * else), calls after a state change, stateful code and cut observations are never flagged. Source: hdpo.md section 3.
 */
import type { Call, LoggedImage } from '../../model/rollout.ts';
import type { CallFacts } from './callFacts.ts';
import { isTruncated, specificTokens } from './observationText.ts';
import { buildFlag, type Flag, type Rule } from './rule.ts';
import { codeOf, isTestRun, shellLineOf } from './toolKinds.ts';

const id = 'repeat';
/** Observations with fewer specific tokens ("OK", "5") are equal by chance. */
const specificEnough = 3;

/** Flags equal calls with equal observations: certain, likely (only equal without volatile parts), or a hint (pictures unknown). */
export const repeat: Rule = {
  id,
  hintsOnly: false,
  flag: (facts) => {
    if (facts.judged.length < 2) return [];
    const flags: Flag[] = [];
    for (const series of facts.series()) {
      if (isPolling(facts, series)) continue;
      for (let at = 1; at < series.length; at += 1) {
        const flag = compare(facts, series[at - 1], series[at]);
        if (flag !== null) flags.push(flag);
      }
    }
    return flags.sort((a, b) => a.call - b.call);
  },
};

/** True where any of the calls returned something else: then it was asked again in order to see that. */
function isPolling(facts: CallFacts, series: readonly number[]): boolean {
  const { calls } = facts.rollout;
  const answered = series.filter((index) => calls[index]?.outcome === 'ok' || calls[index]?.outcome === 'unknown');
  const [first] = answered;
  return answered.some((index) => first !== undefined && !sameAnswer(facts, first, index));
}

/** Equal without what differs from call to call; most are equal as they stand. */
function sameAnswer(facts: CallFacts, one: number, other: number): boolean {
  const { calls } = facts.rollout;
  return calls[one]?.observation === calls[other]?.observation || facts.seenSteady(one) === facts.seenSteady(other);
}

function compare(facts: CallFacts, earlier: number | undefined, later: number | undefined): Flag | null {
  if (earlier === undefined || later === undefined) return null;
  const { calls, images } = facts.rollout;
  const [first, second] = [calls[earlier], calls[later]];
  if (!first || !second || !wasAnswered(first) || !wasAnswered(second) || first.turn === second.turn) return null;
  if (isTruncated(first.observation) || isTruncated(second.observation)) return null;
  if (!sameAnswer(facts, earlier, later)) return null;
  if (!facts.onlyReads(later) || !facts.nothingChangedBetween(earlier, later)) return null;
  const pictures = comparePictures(first, second, images);
  if (pictures === 'different') return null;
  const equal = first.observation === second.observation || facts.seen(earlier) === facts.seen(later);
  const doubts = doubtsOf(facts, later, { equal, pictures });
  const confidence = pictures === 'unknown' ? 'hint' : doubts.length > 0 ? 'likely' : 'certain';
  return buildFlag({
    call: later,
    rule: id,
    confidence,
    refersTo: earlier,
    evidence: doubts.map((value) => ({ name: 'only_because', value })),
  });
}

function wasAnswered({ outcome }: Call): boolean {
  return outcome === 'ok' || outcome === 'unknown';
}

/** Why the flag is not certain. */
function doubtsOf(
  facts: CallFacts,
  later: number,
  { equal, pictures }: { readonly equal: boolean; readonly pictures: 'none' | 'equal' | 'unknown' },
): readonly string[] {
  const call = facts.rollout.calls[later];
  const doubts: string[] = [];
  if (!equal) doubts.push('equal without timings, ids, dates and paths');
  if (pictures === 'none' && specificTokens(facts.seen(later)).size < specificEnough) doubts.push('says little');
  const text = call === undefined ? '' : (codeOf(call.tool, call.arguments) ?? shellLineOf(call.tool, call.arguments));
  if (text !== null && isTestRun(text)) doubts.push('a test or benchmark run');
  if (pictures === 'unknown') doubts.push('its pictures are not in the log');
  return doubts;
}

function comparePictures(
  first: Call,
  second: Call,
  images: readonly LoggedImage[],
): 'none' | 'equal' | 'different' | 'unknown' {
  if (first.images.length !== second.images.length) return 'different';
  if (first.images.length === 0) return 'none';
  const pairs = first.images.map((image, at) => [images[image], images[second.images[at] ?? -1]] as const);
  if (pairs.some(([a, b]) => a?.state !== 'inline' || b?.state !== 'inline')) return 'unknown';
  return pairs.every(([a, b]) => a?.base64 === b?.base64) ? 'equal' : 'different';
}
