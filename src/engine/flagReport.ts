/**
 * The flags of one rollout as a person can check them: rules on the rollout and `sibling` over its group, each with a
 * sentence, references, witnesses, boxes, cost and verdict, and the counterfactual of hdpo.md section 3. Pure.
 * Leaves out the rules (analysis/redundancy), where verdicts are kept (verdicts.ts) and the words (flagSentence.ts).
 */
import { createHash } from 'node:crypto';
import { computeAdvantages } from '../analysis/hdpo.ts';
import { flagFacts, rules as allRules } from '../analysis/redundancy/all.ts';
import { callFacts, type CallFacts } from '../analysis/redundancy/callFacts.ts';
import { chanceLevel } from '../analysis/redundancy/chanceLevel.ts';
import { boxesOfCall } from '../analysis/redundancy/pictures.ts';
import { replayConfidence, replayRule } from '../analysis/redundancy/replay.ts';
import type { Flag } from '../analysis/redundancy/rule.ts';
import { countByCalls, siblingVerdict, type SiblingVerdict } from '../analysis/redundancy/sibling.ts';
import { RIGHT, toolReward, UNKNOWN, WRONG } from '../analysis/rewards.ts';
import type { NamedValue, Rollout } from '../model/rollout.ts';
import type { RunId } from '../protocol/engine.ts';
import type {
  Counterfactual,
  FlagReport,
  FlagWitness,
  RuleSettings,
  ShownBox,
  ShownFlag,
  Verdict,
} from '../protocol/flags.ts';
import type { KeptGain } from '../protocol/replay.ts';
import type { StoredRollout } from '../store/questions.ts';
import { siblingRule } from '../store/runFlags.ts';
import { flagSentence, replaySentence, siblingSentence } from './flagSentence.ts';

/** All rollouts of the group, in file order, the judged one among them. */
export interface ReportGroup {
  readonly own: StoredRollout;
  readonly members: readonly StoredRollout[];
}

/** What a report needs besides the record. */
export interface ReportContext {
  readonly run: RunId;
  readonly rules: RuleSettings;
  /** Null while the group is not indexed: no siblings, no advantages. */
  readonly group: ReportGroup | null;
  /** The user's verdict on a flag by its id. */
  readonly verdictOf: (flag: string) => Verdict | null;
  /** What models said of its calls, by `contentHash`, latest last; nothing by default. */
  readonly gainsOf?: (content: string) => readonly KeptGain[];
}

/** No flag: what a rollout without calls has. */
export const noFlags: FlagReport = { flags: [], counterfactual: null, crops: [] };

const mostWitnesses = 16;
/** JSON of the flags in a message, whose text takes most of its 1 MB. */
const mostCharacters = 90_000;
const mostCallsNamed = 2_000;
const mostCrops = 200;

/** All flags of a rollout, hints too, as many as fit into a message: what counts before hints. */
export function flagReport(rollout: Rollout, context: ReportContext): FlagReport {
  if (rollout.calls.length === 0) return noFlags;
  const facts = callFacts(rollout);
  const { flags, siblings } = wholeReport(facts, context);
  return {
    flags: fitting(flags),
    counterfactual: counterfactualOf(rollout, context, { flags, siblings }),
    crops: cropsOf(facts),
  };
}

/** All flags of a rollout, however many they are. */
export function allFlags(rollout: Rollout, context: ReportContext): readonly ShownFlag[] {
  return rollout.calls.length === 0 ? [] : wholeReport(callFacts(rollout), context).flags;
}

/** One flag of a rollout by its id; null where it has none such (any more). */
export function flagById(rollout: Rollout, context: ReportContext, id: string): ShownFlag | null {
  return allFlags(rollout, context).find((flag) => flag.id === id) ?? null;
}

interface WholeReport {
  readonly flags: readonly ShownFlag[];
  readonly siblings: SiblingVerdict | null;
}

function wholeReport(facts: CallFacts, context: ReportContext): WholeReport {
  const own = flagFacts(facts, context.rules);
  const siblings = siblingsOf(context);
  if (own.length === 0 && siblings === null && context.gainsOf === undefined) return { flags: [], siblings };
  const content = contentHash(facts.rollout);
  const shown = own.map((flag) => shownFlag({ facts, flag, content, context }));
  const bySiblings = siblings === null ? [] : siblingFlags({ facts, siblings, content, context });
  const byModels = replayFlags({ facts, content, context });
  return { flags: [...shown, ...bySiblings, ...byModels].sort(byCallAndRule), siblings };
}

const ruleOrder = new Map([...allRules.map(({ id }) => id), siblingRule, replayRule].map((id, at) => [id, at]));

function byCallAndRule(a: ShownFlag, b: ShownFlag): number {
  const call = (flag: ShownFlag): number => flag.call ?? Number.MAX_SAFE_INTEGER;
  return call(a) - call(b) || (ruleOrder.get(a.rule) ?? 99) - (ruleOrder.get(b.rule) ?? 99);
}

/** Hash of what a rollout says: texts, calls and observations, not where it was logged nor how it was scored. */
export function contentHash(rollout: Rollout): string {
  const hash = createHash('sha256');
  const add = (text: string): void => {
    hash.update(`${text.length}:`).update(text);
  };
  for (const { role, parts } of rollout.turns) {
    add(role);
    for (const part of parts) if ('text' in part) add(part.text);
  }
  for (const { tool, raw, observation } of rollout.calls) {
    add(tool ?? '');
    add(raw);
    add(observation);
  }
  return hash.digest('hex');
}

function flagId(content: string, call: number | null, rule: string): string {
  return createHash('sha256')
    .update(`${content} ${call ?? 'all'} ${rule}`)
    .digest('hex')
    .slice(0, 32);
}

interface Judged {
  readonly facts: CallFacts;
  readonly content: string;
  readonly context: ReportContext;
}

function shownFlag({ facts, flag, content, context }: Judged & { readonly flag: Flag }): ShownFlag {
  const { call, rule, confidence, refersTo, refersToTurn, evidence } = flag;
  const id = flagId(content, call, rule);
  return {
    id,
    call,
    count: 1,
    rule,
    confidence,
    sentence: flagSentence(facts.rollout, flag),
    evidence,
    refersTo,
    refersToTurn,
    witnesses: [],
    boxes: rulesWithBoxes.has(rule) ? [...boxesOf(facts, call), ...boxesOf(facts, refersTo)] : [],
    ...costOf(facts.rollout, call),
    verdict: context.verdictOf(id),
  };
}

/** Where the log holds a picture: the parts of it that calls looked at. */
function cropsOf(facts: CallFacts): readonly ShownBox[] {
  const { rollout } = facts;
  if (rollout.images.length === 0) return [];
  const crops: ShownBox[] = [];
  for (const call of rollout.calls.keys()) {
    if (crops.length >= mostCrops) break;
    crops.push(...boxesOf(facts, call).filter(({ image }) => image !== null));
  }
  return crops.slice(0, mostCrops);
}

const rulesWithBoxes: ReadonlySet<string> = new Set(['near-repeat', 'whole-image']);

function boxesOf(facts: CallFacts, call: number | null): readonly ShownBox[] {
  return call === null ? [] : boxesOfCall(facts, call).map(({ image, box }) => ({ call, image, box }));
}

/** Latency, and the characters of the call and of what came back. */
function costOf({ calls }: Rollout, index: number): Pick<ShownFlag, 'latencyMs' | 'characters'> {
  const call = calls[index];
  return { latencyMs: call?.latencyMs ?? null, characters: call ? call.raw.length + call.observation.length : null };
}

/** What siblings show about a right rollout; null where nothing, or where the rule is off. */
function siblingsOf({ rules, group }: ReportContext): SiblingVerdict | null {
  if (group === null || group.own.correct !== true || rules.off.includes(siblingRule)) return null;
  const members = group.members.filter(counts);
  const columns = { correct: correctOf(members), calls: members.map(({ calls }) => calls) };
  return siblingVerdict(group.own.calls, countByCalls(members.keys(), columns), rules.siblingLikelyFrom);
}

/** False for an earlier output of a rollout that logs several: it has neither reward nor verdict of its own. */
function counts({ accReward, correct, reward, correctLogged }: StoredRollout): boolean {
  return accReward !== null || correct !== null || (reward === null && correctLogged === null);
}

function correctOf(members: readonly StoredRollout[]): Uint8Array {
  return Uint8Array.from(members, ({ correct }) => (correct === null ? UNKNOWN : correct ? RIGHT : WRONG));
}

/** Without a single call solvable: every call; else one flag for the number that is proven. */
function siblingFlags({
  facts,
  siblings,
  content,
  context,
}: Judged & { readonly siblings: SiblingVerdict }): readonly ShownFlag[] {
  const chance = chanceLevel(facts.rollout);
  const alike = {
    rule: siblingRule,
    confidence: siblings.confidence,
    sentence: siblingSentence({ verdict: siblings, chance }),
    evidence: siblingEvidence(siblings, chance),
    refersTo: null,
    refersToTurn: null,
    witnesses: witnessesOf(siblings, context),
    boxes: [],
  };
  const flagOf = (call: number | null, count: number): ShownFlag => {
    const id = flagId(content, call, siblingRule);
    const cost = call === null ? { latencyMs: null, characters: null } : costOf(facts.rollout, call);
    return { id, call, count, ...alike, ...cost, verdict: context.verdictOf(id) };
  };
  if (siblings.callsEnough > 0 || facts.judged.length === 0) return [flagOf(null, siblings.calls)];
  return facts.judged.map((call) => flagOf(call, 1));
}

/** One flag a call that the policy's own model gave away: the latest word of a model on it counts. */
function replayFlags({ facts, content, context }: Judged): readonly ShownFlag[] {
  if (context.rules.off.includes(replayRule)) return [];
  const latest = new Map<number, KeptGain>();
  for (const gain of context.gainsOf?.(content) ?? []) latest.set(gain.call, gain);
  return [...latest.values()].flatMap((gain) => {
    const confidence = replayConfidence(gain);
    const { call, model, withoutCall, without, fits } = gain;
    if (confidence === null || call >= facts.rollout.calls.length) return [];
    const id = flagId(content, call, replayRule);
    const evidence: NamedValue[] = [
      { name: 'model', value: model },
      { name: 'known_before', value: Math.exp(withoutCall) },
      { name: 'gain_nats', value: gain.gain },
      { name: 'log_probs', value: fits },
      ...(without === null
        ? []
        : [
            { name: 'right_without', value: without.right },
            { name: 'judged_without', value: without.judged },
          ]),
    ];
    return [
      {
        id,
        call,
        count: 1,
        rule: replayRule,
        confidence,
        sentence: replaySentence(gain),
        evidence,
        refersTo: null,
        refersToTurn: null,
        witnesses: [],
        boxes: [],
        ...costOf(facts.rollout, call),
        verdict: context.verdictOf(id),
      },
    ];
  });
}

function siblingEvidence({ right, of, share, others, callsEnough }: SiblingVerdict, chance: number | null) {
  const evidence: NamedValue[] = [
    { name: 'calls_enough', value: callsEnough },
    { name: 'right', value: right },
    { name: 'of', value: of },
    { name: 'share', value: share.share },
    { name: 'share_low', value: share.low },
    { name: 'share_high', value: share.high },
  ];
  if (others !== null) {
    evidence.push({ name: 'share_with_more_calls', value: others.share });
    evidence.push({ name: 'share_with_more_calls_low', value: others.low });
    evidence.push({ name: 'share_with_more_calls_high', value: others.high });
  }
  if (chance !== null) evidence.push({ name: 'chance', value: chance });
  return evidence;
}

/** Siblings with few enough calls, right ones first. */
function witnessesOf({ callsEnough }: SiblingVerdict, { run, group }: ReportContext): readonly FlagWitness[] {
  if (group === null) return [];
  const { own, members } = group;
  const lean = members.filter((member) => counts(member) && member.calls <= callsEnough && !isSame(member, own));
  return lean
    .sort((a, b) => Number(b.correct === true) - Number(a.correct === true) || a.member - b.member)
    .slice(0, mostWitnesses)
    .map(({ file, row, member, correct, calls }) => ({ ref: { run, file, row }, member, correct, calls }));
}

function isSame(one: StoredRollout, other: StoredRollout): boolean {
  return one.file === other.file && one.row === other.row;
}

/**
 * hdpo.md section 3: T without certain and likely calls, r_ans kept, siblings as logged. What the user dismissed is no
 * longer taken away; null where nothing is left.
 */
function counterfactualOf(rollout: Rollout, { group }: ReportContext, report: WholeReport): Counterfactual | null {
  const certainOrLikely = report.flags.filter(({ confidence }) => confidence !== 'hint');
  const counted = certainOrLikely.filter(({ verdict }) => verdict !== 'dismissed');
  if (counted.length === 0) return null;
  const without = [...new Set(counted.flatMap(({ call }) => (call === null ? [] : [call])))].sort((a, b) => a - b);
  const bySiblings = counted.filter(({ rule }) => rule === siblingRule).reduce((sum, flag) => sum + flag.count, 0);
  const whole = counted.length === certainOrLikely.length;
  const proven = whole && report.siblings?.confidence === 'likely' ? report.siblings.calls : bySiblings;
  const logged = rollout.calls.filter(({ sent }) => sent).length;
  // Siblings without tools prove all calls, others only a number: the larger part, which the two share.
  const count = Math.min(logged, Math.max(without.length, proven));
  const calls = [logged, logged - count] as const;
  const latencies = without.flatMap((call) => rollout.calls[call]?.latencyMs ?? []);
  return {
    without: without.slice(0, mostCallsNamed),
    count,
    calls,
    ...advantagesWithout(group, { count, left: calls[1] }),
    latencyMs: latencies.length === 0 ? null : latencies.reduce((sum, value) => sum + value, 0),
    characters: without.reduce((sum, call) => sum + (costOf(rollout, call).characters ?? 0), 0),
  };
}

interface Taken {
  /** Calls taken away, and T that is left. */
  readonly count: number;
  readonly left: number;
}

function advantagesWithout(
  group: ReportGroup | null,
  { count, left }: Taken,
): Pick<Counterfactual, 'toolReward' | 'toolAdvantage' | 'groupCleaned'> {
  const nothing = { toolReward: null, toolAdvantage: null, groupCleaned: null };
  // In Q are only right rollouts with a reward; for the others there is only the cost.
  if (group === null || !group.own.qualifies || group.own.toolReward === null) return nothing;
  const { own, members } = group;
  const place = members.findIndex((member) => isSame(member, own));
  if (place < 0 || own.toolAdvantage === null) return nothing;
  const alone = toolAdvantages(members, (member) => (isSame(member, own) ? left : member.calls));
  const cleaned = toolAdvantages(members, (member) =>
    isSame(member, own) ? left : Math.max(0, member.calls - Math.max(member.redundantCalls, member.siblingCalls)),
  );
  const { equalCalls } = cleaned;
  return {
    toolReward: [toolReward(RIGHT, left + count), toolReward(RIGHT, left)],
    toolAdvantage: [own.toolAdvantage, alone.toolAdvantage[place] ?? 0],
    groupCleaned: { toolAdvantage: cleaned.toolAdvantage[place] ?? 0, equalCalls },
  };
}

/** A_tool of all members of one group with other numbers of calls: mean and std of Q are computed again. */
function toolAdvantages(
  members: readonly StoredRollout[],
  callsOf: (member: StoredRollout) => number,
): { readonly toolAdvantage: Float64Array; readonly equalCalls: boolean } {
  const { toolAdvantage, groups } = computeAdvantages(
    {
      count: members.length,
      group: new Uint32Array(members.length),
      accReward: Float64Array.from(members, ({ accReward }) => accReward ?? Number.NaN),
      correct: correctOf(members),
      calls: Uint32Array.from(members, callsOf),
    },
    { normalise: 'std' },
  );
  return { toolAdvantage, equalCalls: groups.equalCalls[0] === 1 };
}

/** The flags that fit into a message: those that count first, hints then; in their order. */
function fitting(flags: readonly ShownFlag[]): readonly ShownFlag[] {
  const kept = new Set<ShownFlag>();
  let characters = 0;
  const isHint = ({ confidence }: ShownFlag): boolean => confidence === 'hint';
  for (const flag of [...flags.filter((one) => !isHint(one)), ...flags.filter(isHint)]) {
    characters += JSON.stringify(flag).length;
    if (characters > mostCharacters) break;
    kept.add(flag);
  }
  return flags.filter((flag) => kept.has(flag));
}
