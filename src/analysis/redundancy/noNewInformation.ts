/**
 * Rule `no-new-information`: nearly all of an observation's text had been read before.
 * Proves: at least 95 % of its 8-grams of tokens stand in the prompt or in earlier observations of the same tool.
 * Does not prove: that another source was not wanted (that is a hint named `confirmation`), nor anything about short
 * answers ("OK", "5"); the policy's own text never counts as read. Source: hdpo.md section 3.
 */
import { isObject } from '../../base/json.ts';
import type { Call } from '../../model/rollout.ts';
import { canonicalJson, type CallFacts } from './callFacts.ts';
import { isTruncated } from './observationText.ts';
import { buildFlag, type Flag, type Rule } from './rule.ts';

const id = 'no-new-information';
/** Tokens of one gram. */
const gramTokens = 8;
/** An observation is compared with so many before it: what lies further back is hardly in context, and quadratic. */
const mostCompared = 300;
/** Up to here counting words is quicker than anything else. */
const shortObservation = 1_000;
/** Shorter observations are equal by chance. */
export const tokensNeeded = 20;

/** Flags observations whose text was known: likely from the same tool, a hint (`confirmation`) from another source. */
export const noNewInformation: Rule = {
  id,
  hintsOnly: false,
  flag: (facts, { knownShare: needed }) => {
    const flags: Flag[] = [];
    const prompt = facts.rollout.turns.filter((turn) => turn.prompt && turn.role !== 'policy');
    const promptTexts = prompt.flatMap(({ parts }) => parts.flatMap((part) => ('text' in part ? [part.text] : [])));
    const grams = gramSets();
    for (const call of facts.judged) {
      const flag = judge(facts, call, { needed, grams, promptTexts });
      if (flag !== null) flags.push(flag);
    }
    return flags;
  },
};

/** Grams of a text, kept while a rollout is judged: the same observation is compared with many later ones. */
type GramSets = (text: string) => ReadonlySet<number>;

/** Longer texts are not kept, which bounds what one rollout takes. */
const longestKept = 20_000;

function gramSets(): GramSets {
  const known = new Map<string, ReadonlySet<number>>();
  return (text) => {
    const hit = known.get(text);
    if (hit !== undefined) return hit;
    const made = new Set(gramsOf(text));
    if (text.length <= longestKept) known.set(text, made);
    return made;
  };
}

interface Judging {
  readonly needed: number;
  readonly grams: GramSets;
  readonly promptTexts: readonly string[];
}

function judge(facts: CallFacts, index: number, { needed, grams: setOf, promptTexts }: Judging): Flag | null {
  const { calls } = facts.rollout;
  const call = calls[index];
  if (!call || (call.outcome !== 'ok' && call.outcome !== 'unknown') || call.images.length > 0) return null;
  const observation = call.observation;
  if (observation.length < tokensNeeded * 3) return null;
  // Too few words as it stands: without its wrappers it has no more.
  if (observation.length < shortObservation && gramsOf(observation).length <= tokensNeeded - gramTokens) return null;
  const seenBy = (at: number): string => calls[at]?.observation ?? '';
  const read = facts.judged.filter((at) => at < index && seenBy(at) !== '').slice(-mostCompared);
  const anything = [...promptTexts, ...read.map(seenBy)];
  if (!looksKnown(observation, anything)) return null;
  const grams = gramsOf(facts.seen(index));
  if (grams.length <= tokensNeeded - gramTokens || knownShare(grams, anything, setOf) < needed) return null;
  // A call that may change something is not asked for its words.
  if (isTruncated(observation) || !facts.onlyReads(index)) return null;
  // What was read before something changed may not be true any more: to read it again is a check, not a repetition.
  const earlier = read.filter((at) => {
    const one = calls[at];
    return (
      one !== undefined && one.turn < call.turn && !asksElsewhere(one, call) && facts.nothingChangedBetween(at, index)
    );
  });
  if (!looksKnown(observation, [...promptTexts, ...earlier.map(seenBy)])) return null;
  const same = earlier.filter((at) => calls[at]?.tool === call.tool);
  const known = knownShare(grams, [...promptTexts, ...same.map(seenBy)], setOf);
  if (known >= needed) {
    return buildFlag({
      call: index,
      rule: id,
      confidence: 'likely',
      refersTo: tellingMost(grams, same, (call) => setOf(seenBy(call))),
      evidence: [{ name: 'known_share', value: known }],
      measured: { threshold: 'knownShare', value: known },
    });
  }
  const anywhere = knownShare(grams, [...promptTexts, ...earlier.map(seenBy)], setOf);
  if (anywhere < needed) return null;
  const evidence = [{ name: 'confirmation', value: anywhere }];
  return buildFlag({ call: index, rule: id, confidence: 'hint', evidence });
}

/** The call that had said most of it, the latest of equal ones; null where the prompt alone did. */
function tellingMost(
  grams: readonly number[],
  calls: readonly number[],
  setOf: (call: number) => ReadonlySet<number>,
): number | null {
  let best: number | null = null;
  let bestShare = 0;
  for (const call of calls) {
    const known = setOf(call);
    const share = grams.filter((gram) => known.has(gram)).length / grams.length;
    if (share > 0 && share >= bestShare) [best, bestShare] = [call, share];
  }
  return best;
}

const elsewhere =
  /page|offset|start|end|range|line|date|day|time|year|month|site|domain|lang|locale|cursor|skip|limit/iu;

/** True for another page, range, site, date or language: to find the same there is an answer, not a repetition. */
function asksElsewhere(one: Call, other: Call): boolean {
  const [before, after] = [one.arguments, other.arguments];
  if (one.tool !== other.tool || !isObject(before) || !isObject(after)) return false;
  return Object.keys(after).some(
    (name) => elsewhere.test(name) && canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null),
  );
}

/** Five pieces of the text are looked for as they are: for almost every observation that settles it at once. */
function looksKnown(observation: string, texts: readonly string[]): boolean {
  const pieces = [0.3, 0.5, 0.7].map((at) => {
    const first = Math.floor(observation.length * at);
    const parts = observation.slice(first, first + 60).split(/\n|\s{2,}/u);
    return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '').trim();
  });
  const telling = pieces.filter((piece) => piece.length >= 6);
  const hits = telling.filter((piece) => texts.some((text) => text.includes(piece))).length;
  return telling.length === 0 || hits * 2 > telling.length;
}

function knownShare(grams: readonly number[], texts: readonly string[], setOf: GramSets): number {
  let left = grams;
  // The latest first: what is told again was mostly told a moment ago.
  for (const text of texts.toReversed()) {
    if (left.length === 0) break;
    const known = setOf(text);
    left = left.filter((gram) => !known.has(gram));
  }
  return (grams.length - left.length) / grams.length;
}

/**
 * Hashes (32 bits) of all runs of eight tokens, letters and digits in lower case. A chance hit among ten thousand grams
 * is one in fifty texts, far below the share that decides.
 */
function gramsOf(text: string): readonly number[] {
  const grams: number[] = [];
  const ring = new Uint32Array(gramTokens);
  let tokens = 0;
  let hash = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : 0x20;
    const isUpper = code >= 0x41 && code <= 0x5a;
    if (isUpper || (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code > 0xbf) {
      hash = Math.imul((hash === 0 ? 0x811c9dc5 : hash) ^ (isUpper ? code + 0x20 : code), 0x01000193);
      continue;
    }
    if (hash === 0) continue;
    ring[tokens % gramTokens] = hash;
    hash = 0;
    tokens += 1;
    if (tokens < gramTokens) continue;
    let gram = 0;
    for (let back = gramTokens; back > 0; back -= 1) {
      gram = Math.imul(gram, 0x01000193) ^ (ring[(tokens - back) % gramTokens] ?? 0);
    }
    grams.push(gram);
  }
  return grams;
}
