/**
 * Counterfactuals at a decision point: samples without the call, without tools, or behind another result, forked at the
 * start of the turn (before its reasoning), beside a control arm behind the recorded observation. A banned opener is an
 * intervention; where the policy often does without a call, rejected samples give the true conditional: the label says
 * which. Leaves out single samples (samples.ts) and single probabilities (decide.ts).
 */
import { newcombeInterval, wilsonInterval } from '../analysis/intervals.ts';
import { UserError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { ArmShare, BranchRequest, BranchResult, BranchSample } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import { alignEpisode, type Alignment, type WrittenTurn } from './align.ts';
import type { AnswerCheck } from './answerCheck.ts';
import type { AskedServer, GeneratedSample, GeneratedToken, PolicyBackend } from './backend.ts';
import { messagesBefore, messagesWithResult } from './chatMessages.ts';
import type { OpenerTokens } from './decide.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { judgedSample, sampleStream, textOfSample, type Judge } from './samples.ts';
import { inWrapper, withOtherResult, withoutTools } from './otherPrefix.ts';

/** What a branch stands on. */
export interface BranchOptions {
  readonly backend: PolicyBackend;
  readonly tokens: PolicyTokens;
  readonly openers: OpenerTokens | null;
  readonly check: AnswerCheck;
  readonly provenanceId: string;
  readonly told: (arm: BranchSample['arm'], sample: number, added: string) => void;
  readonly progress: (what: string, done: number, of: number) => void;
  readonly signal: AbortSignal;
}

/** P(no call) from which samples with a call are rejected rather than the opener banned. */
const leastConditional = 0.1;
/** Samples drawn for each one wanted, at most, before rejecting is given up. */
const mostDraws = 20;
/** Beyond this mass taken out by a ban, what is left says little about the policy. */
const mostBannedMass = 0.999;

/** Runs both arms of a request. UserError where the turn or the intervention does not exist. */
export async function branchAt(
  alignment: Alignment,
  request: BranchRequest,
  options: BranchOptions,
): Promise<BranchResult> {
  const turn = alignment.written.find((one) => one.turn === request.turn);
  if (turn === undefined) throw new UserError(replayTexts.noSuchTurn, null);
  const own = await interventionArm(alignment, turn, { request, options });
  const control: Arm =
    request.arms === 'intervention'
      ? { name: 'control', samples: [] }
      : await armOf(controlPrefix(alignment, turn), 'control', { request, options, banned: [] });
  const judge = judgeOf(alignment, options);
  const judged = (arm: Arm): readonly BranchSample[] =>
    arm.samples.map((sample) => judgedSample(sample, arm.name, { tokens: options.tokens, judge }));
  const [intervened, controlled] = [judged(own), judged(control)];
  const [first, second] = [shareOf(intervened), shareOf(controlled)];
  const counted = ({ right, judged: count }: ArmShare) => ({ hits: right, count });
  return {
    id: request.id,
    request,
    label: labelOf(own, control),
    samples: fitting([...intervened, ...controlled]),
    intervention: first,
    control: second,
    difference: newcombeInterval(counted(first), counted(second)),
    calibration: options.check.calibration,
    warnings: [
      ...own.warnings,
      ...(isLastTurn(alignment, turn) && request.arms !== 'intervention' ? [replayTexts.controlAtStart] : []),
      ...truncated([...own.samples, ...control.samples], request.topP),
      ...warningsOfServer([...own.samples, ...control.samples]),
    ],
    provenanceId: options.provenanceId,
  };
}

/** What a fork continues: ids, and the same as messages where a server may be asked by them. */
interface Prefix {
  readonly ids: readonly number[];
  readonly messages: readonly JsonObject[] | null;
}

interface Arm {
  readonly name: BranchSample['arm'];
  readonly samples: readonly GeneratedSample[];
}

interface LabelledArm extends Arm {
  readonly label: string;
  readonly warnings: readonly string[];
}

interface Asked {
  readonly request: BranchRequest;
  readonly options: BranchOptions;
}

async function interventionArm(alignment: Alignment, turn: WrittenTurn, asked: Asked): Promise<LabelledArm> {
  const { intervention } = asked.request;
  const arm = async (prefix: Prefix, label: string): Promise<LabelledArm> => ({
    ...(await armOf(prefix, 'intervention', { ...asked, banned: [] })),
    label,
    warnings: [],
  });
  switch (intervention.kind) {
    case 'no call':
      // As tokens: a ban needs them, and only the text as it was written shows whether a call was opened.
      return withoutCall({ ids: alignment.ids.slice(0, turn.first), messages: null }, asked);
    case 'no tools': {
      const { tokens, backend } = asked.options;
      const stripped = withoutTools(alignment.episode);
      const other = await alignEpisode(stripped, { tokens, ...backend.facts });
      const found = other.written.find((one) => one.turn === turn.turn);
      if (found === undefined) throw new UserError(replayTexts.noSuchTurn, null);
      return arm(
        { ids: other.ids.slice(0, found.first), messages: messagesBefore(other, turn.turn) },
        replayTexts.noTools,
      );
    }
    case 'other result': {
      const { text } = intervention;
      const ids = await withOtherResult(alignment, turn, { text, tokens: asked.options.tokens });
      const next = nextOf(alignment, turn)?.turn ?? alignment.episode.turns.length;
      const wrapped = (observed: string): string => inWrapper(observed, text);
      const messages = messagesWithResult(alignment, { turn: turn.turn, next, text: wrapped });
      return arm({ ids, messages }, replayTexts.otherResult);
    }
  }
}

/** UTF-16 units of all samples: a result crosses in one message of at most 1 MB. */
const mostUnits = 400_000;
const mark = '…';

/** Texts cut to equal shares of a message where they are too long for it; they were streamed whole. */
function fitting(samples: readonly BranchSample[]): readonly BranchSample[] {
  const units = samples.reduce((sum, { text, answer }) => sum + text.length + (answer?.length ?? 0), 0);
  if (units <= mostUnits) return samples;
  const most = Math.floor(mostUnits / samples.length / 2);
  const cut = (text: string): string => (text.length > most ? `${text.slice(0, most)}${mark}` : text);
  return samples.map((sample) => ({
    ...sample,
    text: cut(sample.text),
    answer: sample.answer === null ? null : cut(sample.answer),
  }));
}

function isLastTurn({ written }: Alignment, turn: WrittenTurn): boolean {
  return written.indexOf(turn) === written.length - 1;
}

/** Where the record goes on: behind the observation of this turn's calls, else at the start of a turn without calls. */
function controlPrefix(alignment: Alignment, turn: WrittenTurn): Prefix {
  const at = nextOf(alignment, turn) ?? turn;
  return { ids: alignment.ids.slice(0, at.first), messages: messagesBefore(alignment, at.turn) };
}

function nextOf({ written }: Alignment, turn: WrittenTurn): WrittenTurn | undefined {
  return written[written.indexOf(turn) + 1];
}

/** Samples that call no tool: by rejection where that happens often enough, else with the opener banned. */
async function withoutCall(prefix: Prefix, asked: Asked): Promise<LabelledArm> {
  const { request, options } = asked;
  const { openers, tokens } = options;
  if (openers === null) throw new UserError(replayTexts.noOpener, null);
  const accepted: GeneratedSample[] = [];
  const isCalling = ({ ids }: GeneratedSample): boolean => textOfSample(ids, tokens).includes(openers.call.text);
  let drawn = 0;
  const draw = async (count: number): Promise<void> => {
    const samples = await generate(prefix, {
      ...asked,
      banned: [],
      count,
      seed: request.seed + drawn,
      heard: () => undefined,
    });
    for (const sample of samples) {
      if (accepted.length >= request.samples) break;
      drawn += 1;
      if (isCalling(sample)) continue;
      const place = accepted.length;
      options.told('intervention', place, textOfSample(sample.ids, tokens));
      accepted.push({ ...sample, sample: place });
    }
    options.progress('samples without a call', accepted.length, request.samples);
  };
  await draw(request.samples);
  const share = accepted.length / Math.max(1, drawn);
  if (share >= leastConditional) {
    while (accepted.length < request.samples && drawn < mostDraws * request.samples) await draw(request.samples);
    return {
      name: 'intervention',
      samples: accepted,
      label: replayTexts.conditional(accepted.length, drawn),
      warnings: [],
    };
  }
  const banned = bannedFor(openers);
  if (banned === null) throw new UserError(replayTexts.cannotBan(openers.call.text), replayTexts.useNoTools);
  const arm = await armOf(prefix, 'intervention', { ...asked, banned: [banned] });
  const mass = Math.max(0, ...arm.samples.map(({ bannedMass }) => bannedMass));
  const warnings = [
    ...(openers.call.ids.length > 1 ? [replayTexts.bansMore(openers.call.text)] : []),
    ...(mass > mostBannedMass ? [replayTexts.bannedMass(mass)] : []),
  ];
  return { ...arm, label: replayTexts.intervention(accepted.length, drawn), warnings };
}

/** The id whose ban keeps an opener from being written; null where an answer begins with the same one. */
function bannedFor({ call, answer }: OpenerTokens): number | null {
  const [first] = call.ids;
  return first === undefined || answer?.ids[0] === first ? null : first;
}

interface ArmOptions extends Asked {
  readonly banned: readonly number[];
}

async function armOf(prefix: Prefix, name: Arm['name'], asked: ArmOptions): Promise<Arm> {
  const { request, options } = asked;
  const stream = sampleStream(options.tokens, (sample, added) => {
    options.told(name, sample, added);
  });
  const samples = await generate(prefix, { ...asked, count: request.samples, seed: request.seed, heard: stream });
  options.progress(name, samples.length, request.samples);
  return { name, samples };
}

interface Drawn extends ArmOptions {
  readonly count: number;
  readonly seed: number;
  readonly heard: (token: GeneratedToken) => void;
}

function generate(
  { ids: prefix, messages }: Prefix,
  { request, options, banned, count, seed, heard }: Drawn,
): Promise<readonly GeneratedSample[]> {
  const { backend, tokens, openers, signal } = options;
  const room = backend.facts.contextLength - prefix.length;
  if (room <= 0) throw new UserError(replayTexts.noRoom, null);
  const { temperature, topP, maximumTokens } = request;
  return backend.generate(
    {
      prefix,
      ...(messages === null ? {} : { messages }),
      samples: count,
      seed,
      temperature,
      topP,
      topK: null,
      maximumTokens: Math.min(maximumTokens, room),
      stop: stopsOf(tokens, openers),
      banned,
    },
    heard,
    signal,
  );
}

/** A sample ends with its turn, or where it opens a call: nobody is there to run it. */
export function stopsOf(tokens: PolicyTokens, openers: OpenerTokens | null): readonly number[] {
  const [opener, ...more] = openers?.call.ids ?? [];
  return opener !== undefined && more.length === 0 ? [...tokens.ends, opener] : tokens.ends;
}

function judgeOf({ episode, aligned }: Alignment, { openers, check }: BranchOptions): Judge {
  return { openers, answerOpener: aligned.opener?.answer ?? null, check, groundTruth: episode.groundTruth };
}

/** The label of the arm, and for a server how either arm was asked. */
function labelOf({ label, samples }: LabelledArm, control: Arm): string {
  const path = ({ samples: own }: Arm): AskedServer['path'] | null => own[0]?.asked?.path ?? null;
  const own = samples[0]?.asked?.path;
  return own === undefined ? label : replayTexts.asked(label, own, path(control));
}

function warningsOfServer(samples: readonly GeneratedSample[]): readonly string[] {
  const refusal = samples.find(({ asked }) => typeof asked?.refusal === 'string')?.asked?.refusal ?? null;
  const isOther = samples.some(({ asked }) => asked?.samePrompt === false);
  return [
    ...(refusal === null ? [] : [replayTexts.chatRefused(refusal)]),
    ...(isOther ? [replayTexts.otherPrompt] : []),
  ];
}

/** Right of those that were judged, with the 95 % Wilson interval. */
export function shareOf(samples: readonly BranchSample[]): ArmShare {
  const judged = samples.filter(({ correct }) => correct !== null);
  const right = judged.filter(({ correct }) => correct === true).length;
  const interval = wilsonInterval(right, judged.length);
  return {
    right,
    judged: judged.length,
    samples: samples.length,
    share: interval?.share ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
  };
}

function truncated(samples: readonly GeneratedSample[], topP: number): readonly string[] {
  const least = Math.min(1, ...samples.map(({ seenMass }) => seenMass));
  return least < topP && least < 0.9999 ? [replayTexts.truncated(least)] : [];
}
