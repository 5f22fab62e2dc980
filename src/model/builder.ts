/**
 * The only maker of Rollout, Turn and Call: a reader gives what its log says, the rest gets its default here, so that
 * a field added to the model is added in one place. Owned by the readers.
 * Leaves out freezing and checking (this runs once for each of millions of rollouts) and anything a format knows.
 */
import type { Call, LoggedImage, Reward, Rollout, Turn, TurnPart } from './rollout.ts';

/** Most UTF-16 units of `Rollout.question`. */
export const QUESTION_LENGTH = 160;

/** A rollout as a reader knows it: everything but the first three may be left out. */
export type RolloutDraft = Pick<Rollout, 'place' | 'producer' | 'group'> &
  Partial<Omit<Rollout, 'place' | 'producer' | 'group' | 'reward'>> & {
    readonly reward?: Partial<Reward>;
  };

/** A turn as a reader knows it; `characters` defaults to the length of the texts in its parts. */
export type TurnDraft = Pick<Turn, 'role' | 'parts'> & Partial<Omit<Turn, 'role' | 'parts'>>;

/** A call as a reader knows it; `sent` defaults to true and `outcome` to 'unknown'. */
export type CallDraft = Pick<Call, 'turn' | 'tool' | 'raw'> & Partial<Omit<Call, 'turn' | 'tool' | 'raw'>>;

/** Fills a draft: empty lists, nulls, and `question` from the last user turn of the prompt unless given. */
export function buildRollout(draft: RolloutDraft): Rollout {
  const turns = draft.turns ?? [];
  return {
    place: draft.place,
    producer: draft.producer,
    step: draft.step ?? null,
    group: draft.group,
    id: draft.id ?? null,
    output: draft.output ?? null,
    question: draft.question ?? questionOf(turns),
    groundTruth: draft.groundTruth ?? null,
    turns,
    calls: draft.calls ?? [],
    images: draft.images ?? [],
    answer: draft.answer ?? null,
    reward: buildReward(draft.reward ?? {}),
    loggedAdvantage: draft.loggedAdvantage ?? null,
    masked: draft.masked ?? false,
    modelTokens: draft.modelTokens ?? null,
    stopReason: draft.stopReason ?? null,
    extras: draft.extras ?? [],
    ...(draft.exactText === undefined ? {} : { exactText: draft.exactText }),
  };
}

/** Fills a reward: null for what the log does not say, correctness left to the run's threshold. */
export function buildReward(draft: Partial<Reward>): Reward {
  return {
    total: draft.total ?? null,
    answer: draft.answer ?? null,
    format: draft.format ?? null,
    correct: draft.correct ?? null,
    correctSource: draft.correctSource ?? 'reward threshold',
    parts: draft.parts ?? [],
  };
}

/** Fills a turn: `loggedRole` is the role unless given, `prompt` false, tokens and latency unknown. */
export function buildTurn(draft: TurnDraft): Turn {
  return {
    role: draft.role,
    loggedRole: draft.loggedRole ?? draft.role,
    parts: draft.parts,
    observes: draft.observes ?? [],
    prompt: draft.prompt ?? false,
    characters: draft.characters ?? charactersOf(draft.parts),
    tokens: draft.tokens ?? null,
    latencyMs: draft.latencyMs ?? null,
    tokenValues: draft.tokenValues ?? null,
    agent: draft.agent ?? null,
  };
}

/** Fills a call: sent, not control, outcome unknown, no observation. */
export function buildCall(draft: CallDraft): Call {
  return {
    turn: draft.turn,
    tool: draft.tool,
    arguments: draft.arguments ?? null,
    raw: draft.raw,
    sent: draft.sent ?? true,
    control: draft.control ?? false,
    outcome: draft.outcome ?? 'unknown',
    failure: draft.failure ?? null,
    observation: draft.observation ?? '',
    images: draft.images ?? [],
    latencyMs: draft.latencyMs ?? null,
    facts: draft.facts ?? [],
  };
}

/** Fills a picture; without data it is `absent`. */
export function buildImage(draft: Pick<LoggedImage, 'origin'> & Partial<LoggedImage>): LoggedImage {
  return {
    origin: draft.origin,
    state: draft.state ?? (draft.base64 === undefined || draft.base64 === null ? 'absent' : 'inline'),
    mime: draft.mime ?? null,
    base64: draft.base64 ?? null,
    pads: draft.pads ?? null,
  };
}

/** A text part. */
export function textPart(text: string): TurnPart {
  return { kind: 'text', text };
}

/** A part that stands for `Rollout.calls[call]`. */
export function callPart(call: number): TurnPart {
  return { kind: 'call', call };
}

/** A part that stands for `Rollout.images[image]`. */
export function imagePart(image: number): TurnPart {
  return { kind: 'image', image };
}

/** Text of the last user turn of the prompt (else of the first user turn at all), folded by `foldQuestion`. */
function questionOf(turns: readonly Turn[]): string {
  const turn =
    turns.findLast((candidate) => candidate.prompt && candidate.role === 'user') ??
    turns.find((candidate) => candidate.role === 'user');
  if (turn === undefined) return '';
  const texts: string[] = [];
  for (const part of turn.parts) if (part.kind === 'text') texts.push(part.text);
  return foldQuestion(texts.length === 1 ? (texts[0] ?? '') : texts.join(' '));
}

/**
 * One line for lists: white space folded to single spaces, image pads and markers (`<|…|>`, `<image>`) dropped, at most
 * 160 UTF-16 units and never half a surrogate pair. Stops reading where the line is full.
 */
export function foldQuestion(text: string): string {
  let line = '';
  let at = 0;
  let gap = false;
  while (at < text.length && line.length < QUESTION_LENGTH) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) {
      gap = true;
      at += 1;
      continue;
    }
    const marker = code === 0x3c ? markerLength(text, at) : 0;
    if (marker > 0) {
      gap = true;
      at += marker;
      continue;
    }
    const units = isHighSurrogate(code) && isLowSurrogate(text.charCodeAt(at + 1)) ? 2 : 1;
    const space = gap && line !== '' ? 1 : 0;
    if (line.length + space + units > QUESTION_LENGTH) break;
    line += (space === 1 ? ' ' : '') + text.slice(at, at + units);
    gap = false;
    at += units;
  }
  return line;
}

/** Length of the marker at `at` (a special token of at most 40 units, or an image tag), 0 where there is none. */
function markerLength(text: string, at: number): number {
  if (text.startsWith('<|', at)) {
    const window = text.slice(at + 2, at + 40);
    const end = window.indexOf('|>');
    const inner = end === -1 ? ' ' : window.slice(0, end);
    return /^\w+$/.test(inner) ? end + 4 : 0;
  }
  for (const tag of ['<image>', '<video>', '<audio>']) if (text.startsWith(tag, at)) return tag.length;
  return 0;
}

function charactersOf(parts: readonly TurnPart[]): number {
  let sum = 0;
  for (const part of parts) if ('text' in part) sum += part.text.length;
  return sum;
}

function isSpace(code: number): boolean {
  return (
    code === 0x20 ||
    (code >= 0x09 && code <= 0x0d) ||
    code === 0xa0 ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x3000
  );
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
