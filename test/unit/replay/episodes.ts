/** Episodes for replays without a log: turns as texts, with or without chat markers. */
import type { ReplayEpisode, ReplayTurn } from '../../../src/protocol/replay.ts';

/** A turn as a test writes it. */
export interface TurnText {
  readonly role: 'system' | 'user' | 'policy' | 'tool';
  readonly text: string;
  /** Calls written here. */
  readonly calls?: readonly number[];
  readonly observes?: readonly number[];
  readonly ids?: readonly number[];
  readonly logprobs?: readonly number[];
}

/** An episode with ChatML markers, or (`markers: 'lost'`) with the messages alone; what is up to the first policy turn is the prompt. */
export function episodeOf(
  texts: readonly TurnText[],
  more: Partial<ReplayEpisode> & { readonly markers?: 'kept' | 'lost' } = {},
): ReplayEpisode {
  const { markers = 'kept', ...given } = more;
  const firstWritten = texts.findIndex(({ role }) => role === 'policy');
  const turns = texts.map((turn, index): ReplayTurn => ({
    turn: index,
    role: turn.role,
    loggedRole: nameOf(turn.role),
    prompt: firstWritten === -1 || index < firstWritten,
    text: turn.text,
    exact: true,
    content: '',
    reasoning: '',
    ids: turn.ids ?? null,
    logprobs: turn.logprobs === undefined ? null : Float32Array.from(turn.logprobs),
    calls: turn.calls ?? [],
    observes: turn.observes ?? [],
    images: [],
    latencyMs: null,
  }));
  const header = (turn: TurnText, first: boolean): string =>
    `${first ? '' : '<|im_end|>\n'}<|im_start|>${nameOf(turn.role)}\n`;
  const gaps = [...texts.map((turn, index) => header(turn, index === 0)), '<|im_end|>'];
  return {
    ref: { run: 'run', file: '1.jsonl', row: 0 },
    title: 'a test',
    step: 1,
    turns,
    calls: texts.flatMap((turn, index) =>
      (turn.calls ?? []).map((call) => ({
        call,
        turn: index,
        tool: 'tool',
        arguments: {},
        latencyMs: null,
        redundant: [],
      })),
    ),
    exactText: markers === 'kept' ? { gaps } : null,
    tools: '',
    answer: null,
    groundTruth: null,
    correct: null,
    temperature: null,
    topP: null,
    siblings: null,
    recorded: [],
    notes: [],
    ...given,
  };
}

function nameOf(role: TurnText['role']): string {
  return role === 'policy' ? 'assistant' : role === 'tool' ? 'user' : role;
}
