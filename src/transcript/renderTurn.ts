/**
 * One turn of a rollout as a block of lines with marks: heading, text, reasoning, calls, answer, pictures; an
 * observation stands under its call, without a heading of its own.
 * Leaves out cutting (fit.ts) and redundancy flags, which are added when the lines are final (annotateCalls).
 */
import type { Call, LoggedImage, NamedValue, Rollout, SubAgent, Turn } from '../model/rollout.ts';
import { durationText } from '../base/numberText.ts';
import { outcomeNames, redundancyText, roleNames, transcriptTexts as texts } from '../protocol/texts.ts';
import type { FlagReport, ShownFlag } from '../protocol/flags.ts';
import type { Mark } from '../protocol/transcript.ts';
import { addLines, charactersOf, emptyBlock, heading, withRemark, type Block } from './block.ts';
import { addAnswer, type AnswerVerdict } from './answerBlock.ts';
import { addTokenIds, addTokenSummary, tokensOf } from './tokenLines.ts';
import { argumentLines } from './callArguments.ts';
import { cutAt, headLines, oneLine, trimmedLines, visibleText } from './visibleText.ts';

/** What every turn of one rollout needs to know about the others. */
export interface TurnContext {
  readonly rollout: Rollout;
  /** Label by turn: "policy 2", "user". */
  readonly labels: readonly string[];
  /** Calls by the turn that wrote them. */
  readonly callsOf: ReadonlyMap<number, readonly number[]>;
  /** Calls that some turn answers. */
  readonly observed: ReadonlySet<number>;
  /** Pictures that some part of a turn shows. */
  readonly shownImages: ReadonlySet<number>;
  /** Turn and part of the answer that was graded; null where no part holds it. */
  readonly graded: { readonly turn: number; readonly part: number } | null;
  readonly verdict: AnswerVerdict;
}

const textIndent = '  ';
const callIndent = '      ';
const observationIndent = '    ';
/** Deeper sub-agents are shown as deep as this: nobody counts more arrows. */
const deepest = 8;
/** First characters of an observation that its mark carries. */
const observationStartLength = 300;

/** Looks once over a rollout for what its turns need. */
export function turnContext(rollout: Rollout, verdict: AnswerVerdict): TurnContext {
  const callsOf = new Map<number, number[]>();
  rollout.calls.forEach((call, index) => {
    const calls = callsOf.get(call.turn);
    if (calls) calls.push(index);
    else callsOf.set(call.turn, [index]);
  });
  const observed = new Set<number>();
  const shownImages = new Set<number>();
  const answers: { turn: number; part: number; text: string }[] = [];
  rollout.turns.forEach((turn, index) => {
    for (const call of turn.observes) observed.add(call);
    turn.parts.forEach((part, place) => {
      if (part.kind === 'image') shownImages.add(part.image);
      if (part.kind === 'answer') answers.push({ turn: index, part: place, text: part.text });
    });
  });
  const graded = answers.find(({ text }) => text === rollout.answer) ?? answers[0] ?? null;
  return { rollout, labels: turnLabels(rollout), callsOf, observed, shownImages, graded, verdict };
}

/** What each turn is called: policy turns are numbered from 1, other roles only where there are several, each agent's apart. */
export function turnLabels({ turns }: Rollout): readonly string[] {
  const speaker = ({ role, agent }: Turn): string => (agent === null ? role : `${role}\0${agent.depth}\0${agent.name}`);
  const totals = new Map<string, number>();
  for (const turn of turns) totals.set(speaker(turn), (totals.get(speaker(turn)) ?? 0) + 1);
  const seen = new Map<string, number>();
  return turns.map((turn) => {
    const number = (seen.get(speaker(turn)) ?? 0) + 1;
    seen.set(speaker(turn), number);
    if (turn.role === 'tool' && turn.observes.length > 0) {
      return texts.observation(texts.calls(turn.observes.map((call) => call + 1)));
    }
    const numbered = turn.role === 'policy' || (totals.get(speaker(turn)) ?? 0) > 1;
    return numbered ? `${roleNames[turn.role]} ${number}` : roleNames[turn.role];
  });
}

/** Characters of a turn's texts and calls as logged: about what it takes in the document. */
export function turnSize({ calls }: Rollout, turn: Turn): number {
  let sum = 0;
  for (const part of turn.parts) {
    if ('text' in part) sum += part.text.length;
    if (part.kind === 'call') sum += calls[part.call]?.raw.length ?? 0;
  }
  return sum;
}

/**
 * Renders turn `index`; the block's first mark is the turn itself. Once `limit` characters are there, the rest of the
 * turn is only counted (`Block.hidden`).
 */
export function renderTurn(context: TurnContext, index: number, limit = Infinity): Block {
  const block = emptyBlock();
  const turn = context.rollout.turns[index];
  if (!turn) return block;
  const observes = turn.observes.filter((call) => context.rollout.calls[call] !== undefined);
  if (turn.role === 'tool' && observes.length > 0) addObservation(block, context, { turn, observes, limit });
  else {
    block.lines.push(heading(turnHeading(context.labels[index] ?? turn.role, turn)));
    addTokenSummary(block, turn.tokenValues);
    addParts(block, context, { turn, index, limit });
  }
  if (block.hidden === 0) addTokenIds(block, turn.tokenValues, index);
  block.marks.unshift({
    kind: 'turn',
    line: 0,
    count: block.lines.length,
    turn: index,
    role: turn.role,
    loggedRole: oneLine(turn.loggedRole, 60),
    label: context.labels[index] ?? turn.role,
    characters: turn.characters,
    tokens: turn.tokens,
    latencyMs: turn.latencyMs,
    cut: 0,
    agent: turn.agent === null ? null : shownAgent(turn.agent),
    tokenValues: tokensOf(turn.tokenValues),
  });
  return block;
}

/** Name and depth of a sub-agent as they are shown; a log can claim any depth. */
function shownAgent({ name, depth }: SubAgent): SubAgent {
  return { name: oneLine(name, 60), depth: Math.min(deepest, Math.max(1, Math.trunc(depth) || 1)) };
}

function turnHeading(label: string, turn: Turn): string {
  const agent = turn.agent === null ? null : shownAgent(turn.agent);
  const parts = [agent === null ? label : texts.agent(agent.name, agent.depth, label)];
  if (turn.tokens !== null) parts.push(texts.tokens(turn.tokens));
  if (turn.latencyMs !== null) parts.push(durationText(turn.latencyMs));
  return parts.join(' · ');
}

interface TurnPlace {
  readonly turn: Turn;
  readonly index: number;
  readonly limit: number;
}

function addParts(block: Block, context: TurnContext, { turn, index, limit }: TurnPlace): void {
  const begin = block.lines.length;
  const pending = new Set(context.callsOf.get(index));
  const room = roomOf(block, limit);
  turn.parts.forEach((part, place) => {
    const left = room();
    if (left <= 0) {
      if (part.kind === 'call') pending.delete(part.call);
      block.hidden += turnSize(context.rollout, { ...turn, parts: [part] });
      return;
    }
    const line = block.lines.length;
    switch (part.kind) {
      case 'text':
        addText(block, part.text, left);
        return;
      case 'reasoning':
        addText(block, part.text, left);
        if (block.lines.length === line) return;
        block.marks.push({ kind: 'reasoning', line, count: block.lines.length - line, turn: index });
        return;
      case 'call':
        pending.delete(part.call);
        addCall(block, context, part.call);
        return;
      case 'answer': {
        const graded = context.graded?.turn === index && context.graded.part === place;
        addAnswer(block, part.text, graded ? context.verdict : null);
        return;
      }
      case 'image':
        addImage(block, textIndent, { images: context.rollout.images, image: part.image });
    }
  });
  // A reader that knows a call only from its side table still shows it in its turn.
  for (const call of pending) {
    if (room() > 0) addCall(block, context, call);
    else block.hidden += context.rollout.calls[call]?.raw.length ?? 0;
  }
  if (block.lines.length === begin) block.lines.push(`${textIndent}${texts.empty}`);
}

/** Counts down from `limit` as lines are added; 0 for good once something was left out. */
function roomOf(block: Block, limit: number): () => number {
  let counted = 0;
  let left = limit;
  return () => {
    if (block.hidden > 0) return 0;
    if (left === Infinity) return left;
    left -= charactersOf(block, counted);
    counted = block.lines.length;
    return left;
  };
}

function addText(block: Block, text: string, limit: number, indent = textIndent): void {
  const { lines, hidden } = headLines(text, limit);
  if (lines.length === 1 && (lines[0] ?? '').trim() === '' && hidden === 0) return;
  addLines(block, indent, lines);
  block.hidden += hidden;
}

function addCall(block: Block, context: TurnContext, index: number): void {
  const call = context.rollout.calls[index];
  if (!call) return;
  const line = block.lines.length;
  block.lines.push(callHeading(call, index));
  addLines(block, callIndent, argumentLines(call));
  if (call.failure !== null) block.lines.push(`${observationIndent}✗ ${oneLine(call.failure, 200)}`);
  block.marks.push({ ...callMark(call, index), line, count: block.lines.length - line });
  if (context.observed.has(index)) return;
  // No turn brings this observation: the rollout ended on it, but the tool's answer was logged.
  if (call.observation.trim() !== '') {
    const first = block.lines.length;
    block.lines.push(`${textIndent}◀ ${texts.neverRead}`);
    addLines(block, observationIndent, trimmedLines(call.observation));
    const count = block.lines.length - first;
    block.marks.push({ kind: 'observation', line: first, count, call: index, characters: call.observation.length });
  }
  addHiddenImages(block, context, { call, indent: observationIndent });
}

/** Pictures of a call that no part of any turn shows. */
function addHiddenImages(
  block: Block,
  { rollout, shownImages }: TurnContext,
  { call, indent }: { readonly call: Call; readonly indent: string },
): void {
  for (const image of call.images) {
    if (!shownImages.has(image)) addImage(block, indent, { images: rollout.images, image });
  }
}

function callStart(index: number): string {
  return `${textIndent}▶ ${texts.call(index + 1)}  `;
}

function callHeading(call: Call, index: number): string {
  const parts = [call.tool === null ? texts.noTool : oneLine(call.tool, 80)];
  const state = [
    call.latencyMs === null ? '' : durationText(call.latencyMs),
    outcomeNames[call.outcome],
    call.sent ? '' : texts.notSent,
  ].filter((part) => part !== '');
  return `${callStart(index)}${[...parts, ...(state.length > 0 ? [state.join(' ')] : [])].join('  ')}`;
}

function callMark(call: Call, index: number): Extract<Mark, { kind: 'call' }> {
  return {
    kind: 'call',
    line: 0,
    count: 0,
    call: index,
    turn: call.turn,
    tool: call.tool === null ? null : oneLine(call.tool, 80),
    outcome: call.outcome,
    failure: call.failure === null ? null : oneLine(call.failure, 200),
    latencyMs: call.latencyMs,
    sent: call.sent,
    observationCharacters: call.observation.length,
    observationStart: visibleText(cutAt(call.observation, observationStartLength)),
    facts: smallValues(call.facts, { count: 16, characters: 200 }),
    redundant: [],
  };
}

/** The values that are short enough to be shown whole, at most `count`; long ones belong to the log. */
export function smallValues(
  values: readonly NamedValue[],
  limit: { readonly count: number; readonly characters: number },
): readonly NamedValue[] {
  const small: NamedValue[] = [];
  for (const { name, value } of values) {
    if (small.length === limit.count) break;
    if (name.length > 80) continue;
    if (typeof value === 'string') {
      small.push({ name: oneLine(name, 80), value: oneLine(value, limit.characters) });
    } else if (value === null || typeof value !== 'object') small.push({ name: oneLine(name, 80), value });
    else {
      const text = shortJson(value, limit.characters);
      if (text !== null) small.push({ name: oneLine(name, 80), value: text });
    }
  }
  return small;
}

function shortJson(value: object, characters: number): string | null {
  try {
    const text = JSON.stringify(value);
    return text.length <= characters ? visibleText(text) : null;
  } catch {
    return null;
  }
}

function addObservation(
  block: Block,
  context: TurnContext,
  { turn, observes, limit }: { readonly turn: Turn; readonly observes: readonly number[]; readonly limit: number },
): void {
  const first = observes[0] ?? 0;
  const written = context.rollout.calls[first]?.turn ?? -1;
  // With several calls in one policy turn the arrow names the one it belongs to.
  const several = observes.length > 1 || (context.callsOf.get(written)?.length ?? 0) > 1;
  const name = several ? `${texts.calls(observes.map((call) => call + 1))}  ` : '';
  const content = emptyBlock();
  const room = roomOf(content, limit);
  for (const part of turn.parts) {
    const left = room();
    if (part.kind === 'image') {
      if (left > 0) addImage(content, '', { images: context.rollout.images, image: part.image });
    } else if (part.kind !== 'call') {
      if (left > 0) addText(content, part.text, left, '');
      else content.hidden += part.text.length;
    }
  }
  for (const index of observes) {
    const call = context.rollout.calls[index];
    if (call && content.hidden === 0) addHiddenImages(content, context, { call, indent: '' });
  }
  if (content.lines.length === 0) content.lines.push(texts.empty);
  block.lines.push(`${textIndent}◀ ${name}${content.lines[0] ?? ''}`);
  for (let line = 1; line < content.lines.length; line += 1) {
    const text = content.lines[line] ?? '';
    block.lines.push(text === '' ? '' : observationIndent + text);
  }
  block.hidden += content.hidden;
  for (const mark of content.marks) block.marks.push(mark);
  for (const call of observes) {
    block.marks.push({ kind: 'observation', line: 0, count: block.lines.length, call, characters: turn.characters });
  }
}

function addImage(
  block: Block,
  indent: string,
  { images, image }: { readonly images: readonly LoggedImage[]; readonly image: number },
): void {
  const logged = images[image];
  const state = logged?.state ?? 'absent';
  const details: string[] = [];
  const subtype = /^image\/([\w.+-]{1,20})/.exec(logged?.mime ?? '')?.[1];
  details.push(subtype === undefined ? texts.imageStates[state] : `${texts.imageStates[state]} ${subtype}`);
  const pads = logged?.pads ?? null;
  if (pads !== null) details.push(texts.pads(pads));
  block.marks.push({ kind: 'image', line: block.lines.length, count: 1, image, state, pads });
  block.lines.push(indent + texts.image(image + 1, details));
}

/** Puts what flags a call as certain or likely into its mark and behind its heading. */
export function annotateCalls(block: Block, { flags }: FlagReport): void {
  const byCall = new Map<number, ShownFlag[]>();
  for (const flag of flags) {
    if (flag.call === null || flag.confidence === 'hint') continue;
    const known = byCall.get(flag.call);
    if (known) known.push(flag);
    else byCall.set(flag.call, [flag]);
  }
  block.marks.forEach((mark, index) => {
    const found = mark.kind === 'call' ? byCall.get(mark.call) : undefined;
    if (mark.kind !== 'call' || found === undefined) return;
    const standing = found.filter(({ verdict }) => verdict !== 'dismissed');
    block.marks[index] = { ...mark, redundant: standing.map(({ rule }) => rule) };
    const line = block.lines[mark.line] ?? '';
    // In the rest of a turn a call may go on whose heading stands in the document.
    if (!line.startsWith(callStart(mark.call))) return;
    const dismissed = remarksOf(found.filter(({ verdict }) => verdict === 'dismissed'));
    const remarks = [
      ...(standing.length > 0 ? [`⚠ ${remarksOf(standing)}`] : []),
      ...(dismissed === '' ? [] : [texts.dismissed(dismissed)]),
    ];
    block.lines[mark.line] = withRemark(line, remarks.join('; '));
  });
}

/** What siblings show is long and the same for all calls: the hover says it. */
function remarksOf(flags: readonly ShownFlag[]): string {
  return flags.map(({ rule, sentence }) => (rule === 'sibling' ? redundancyText([rule]) : sentence)).join('; ');
}
