/**
 * Where a replay stands and how it moves: turns and calls as segments of a line, their widths and how long each plays.
 * Pure. Leaves out the clock and the drawing.
 */
import type { PlayerEpisode, PlayerTurn } from '../../src/protocol/player.ts';

/** What the width of a segment stands for. */
export type WidthBy = 'tokens' | 'time';

/** One piece of the line: a turn, or a call that was written in the turn before it. */
export interface Segment {
  readonly turn: number;
  /** 0-based call; null for the turn itself. */
  readonly call: number | null;
  /** Tokens (0 for a call), and milliseconds where known. */
  readonly tokens: number;
  readonly milliseconds: number | null;
  /** True where the policy wrote it: a decision is made at its start. */
  readonly decision: boolean;
}

/** A place on the line: a segment, and the share of it that has passed, 0 to 1. */
export interface Playhead {
  readonly index: number;
  readonly part: number;
}

/** Tokens a second at 1×, where no time is logged. */
const tokensPerSecond = 40;
const shortestSeconds = 0.4;
/** What the policy did not write is looked at, not waited for. */
const longestGivenSeconds = 2;

/** True for a turn that the policy wrote in this episode. */
export function isDecision(turn: Pick<PlayerTurn, 'role' | 'prompt'>): boolean {
  return turn.role === 'policy' && !turn.prompt;
}

/** The line of an episode: each turn, then the calls that were written in it. */
export function segmentsOf(episode: Pick<PlayerEpisode, 'turns' | 'calls'>): readonly Segment[] {
  const latencies = new Map(episode.calls.map(({ call, latencyMs }) => [call, latencyMs]));
  return episode.turns.flatMap((turn) => {
    const own: Segment = {
      turn: turn.turn,
      call: null,
      tokens: turn.tokens,
      milliseconds: turn.latencyMs,
      decision: isDecision(turn),
    };
    const calls = turn.calls.map((call): Segment => ({
      turn: turn.turn,
      call,
      tokens: 0,
      milliseconds: latencies.get(call) ?? null,
      decision: false,
    }));
    return [own, ...calls];
  });
}

/** Seconds that a segment plays at 1×. */
export function secondsOf(segment: Segment, widthBy: WidthBy): number {
  const byTokens = segment.tokens / tokensPerSecond;
  const seconds = widthBy === 'time' && segment.milliseconds !== null ? segment.milliseconds / 1000 : byTokens;
  const longest = segment.decision || segment.call !== null ? Number.POSITIVE_INFINITY : longestGivenSeconds;
  return Math.min(longest, Math.max(shortestSeconds, seconds));
}

/** Share of the line that a segment takes, relative to the others; never so little that it cannot be hit. */
export function widthOf(segment: Segment, widthBy: WidthBy): number {
  if (widthBy === 'tokens') return segment.call === null ? Math.max(1, segment.tokens) : 0;
  // What was given took no time of its own; without a logged time the tokens are taken at the usual rate.
  if (segment.call === null && !segment.decision) return segment.milliseconds ?? 0;
  return segment.milliseconds ?? (segment.tokens / tokensPerSecond) * 1000;
}

/** The place after some more seconds; stays at the end. */
export function advance(
  head: Playhead,
  seconds: number,
  { segments, widthBy }: { readonly segments: readonly Segment[]; readonly widthBy: WidthBy },
): Playhead {
  let { index, part } = head;
  let left = seconds;
  for (;;) {
    const segment = segments[index];
    if (segment === undefined) return { index: Math.max(0, segments.length - 1), part: 1 };
    const whole = secondsOf(segment, widthBy);
    const rest = (1 - part) * whole;
    if (left < rest) return { index, part: part + left / whole };
    if (index === segments.length - 1) return { index, part: 1 };
    left -= rest;
    index += 1;
    part = 0;
  }
}

/** Whether the line has been played. */
export function atEnd(head: Playhead, segments: readonly Segment[]): boolean {
  return head.index >= segments.length - 1 && head.part >= 1;
}

/** A way to go by keyboard. */
export type Move = 'first' | 'last' | 'previousTurn' | 'nextTurn' | 'previousCall' | 'nextCall' | 'nextDecision';

/** The segment that a move leads to from here; the same where there is none. */
export function moved(head: Playhead, move: Move, segments: readonly Segment[]): number {
  const here = segments[head.index];
  const forward = (fits: (segment: Segment) => boolean): number => {
    const found = segments.findIndex((segment, index) => index > head.index && fits(segment));
    return found < 0 ? head.index : found;
  };
  const backward = (fits: (segment: Segment) => boolean): number => {
    const found = segments.findLastIndex((segment, index) => index < head.index && fits(segment));
    return found < 0 ? head.index : found;
  };
  const turn = here?.turn ?? 0;
  switch (move) {
    case 'first':
      return 0;
    case 'last':
      return Math.max(
        0,
        segments.findLastIndex(({ call }) => call === null),
      );
    case 'nextTurn':
      return forward(({ call }) => call === null);
    case 'previousTurn':
      return backward((segment) => segment.call === null && segment.turn < turn);
    case 'nextCall':
      return forward(({ call }) => call !== null);
    case 'previousCall':
      return backward(({ call }) => call !== null);
    case 'nextDecision':
      return forward(({ decision }) => decision);
  }
}

/** The segment of a turn, or of one of its calls; 0 where there is none. */
export function segmentOf(turn: number, call: number | null, segments: readonly Segment[]): number {
  const exact = segments.findIndex((segment) => segment.turn === turn && segment.call === call);
  return exact >= 0
    ? exact
    : Math.max(
        0,
        segments.findIndex((segment) => segment.turn === turn),
      );
}
