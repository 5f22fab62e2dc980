/** What the player works out without a page: where it stands, how it moves, heat, values of tokens, the curve, kept state. */
import { describe, expect, it, test } from 'vitest';
import { playerEpisode } from '../../../src/views/replay/playerEpisode.ts';
import type { TokenSlice } from '../../../src/protocol/player.ts';
import { playerTexts, smallNumberText } from '../../../src/protocol/playerTexts.ts';
import type { BranchSample, DecisionPoint } from '../../../src/protocol/replay.ts';
import { replayTexts } from '../../../src/protocol/replayTexts.ts';
import {
  curveDrawing,
  curveSentence,
  joinable,
  shownPoints,
  siblingsPoint,
  type SidedPoint,
} from '../../../webview/replay/decisionCurve.ts';
import { episodeTokens } from '../../../webview/replay/episodeTokens.ts';
import { heatColumns, heatHeight, heatLevel, type TokenValue } from '../../../webview/replay/heat.ts';
import { freshState, savedState } from '../../../webview/replay/pageState.ts';
import {
  advance,
  atEnd,
  moved,
  secondsOf,
  segmentOf,
  segmentsOf,
  widthOf,
  type Move,
} from '../../../webview/replay/playhead.ts';
import { picturesOf, withoutPads } from '../../../webview/replay/recordedPane.ts';
import { beyondText, isBeyond, scoringText } from '../../../webview/replay/scoringText.ts';
import { alike } from '../../../webview/replay/sampleGroups.ts';
import { shareBars } from '../../../webview/replay/shareBars.ts';
import { turnLabel } from '../../../webview/replay/timeline.ts';
import { tokenLines, visibleText } from '../../../webview/replay/tokenDetail.ts';
import { toSource } from '../../../webview/ui/svgNode.ts';
import { alignedOfTests, episodeOfTests } from '../host/replayOfTests.ts';

const kept = { ref: { run: 'run', file: '1.jsonl', row: 0 }, path: '/logs' };
const episode = playerEpisode(episodeOfTests('one'), { kept, pictures: [], samples: 32 });
const segments = segmentsOf(episode);

describe('the line', () => {
  it('has each turn, and each call behind the turn it was written in', () => {
    expect(segments.map(({ turn, call, decision }) => [turn, call, decision])).toEqual([
      [0, null, false],
      [1, null, true],
      [1, 0, false],
      [2, null, false],
      [3, null, true],
    ]);
  });
  it('is as wide as its tokens, or as its times', () => {
    expect(segments.map((one) => widthOf(one, 'tokens'))).toEqual([3, 7, 0, 1, 3]);
    expect(segments.map((one) => widthOf(one, 'time'))).toEqual([0, 175, 600, 0, 75]);
  });
  it('plays at least long enough to be seen, and does not wait for what was given', () => {
    const [given] = segmentsOf({ turns: [{ ...episode.turns[0], tokens: 100_000 } as never], calls: [] });
    expect(given && secondsOf(given, 'tokens')).toBe(2);
    for (const one of segments) expect(secondsOf(one, 'time')).toBeGreaterThanOrEqual(0.4);
    expect(segments[2] && secondsOf(segments[2], 'time')).toBe(0.6);
  });
  it('is played from start to end, whatever the steps of the clock', () => {
    for (const step of [0.01, 0.3, 1, 100]) {
      let head = { index: 0, part: 0 };
      let seconds = 0;
      for (; !atEnd(head, segments) && seconds < 1_000; seconds += step)
        head = advance(head, step, { segments, widthBy: 'tokens' });
      expect(head).toEqual({ index: segments.length - 1, part: 1 });
    }
    expect(advance({ index: 0, part: 0 }, 1, { segments: [], widthBy: 'tokens' })).toEqual({ index: 0, part: 1 });
  });
  test.each([
    [0, 'nextTurn', 1],
    [1, 'nextTurn', 3],
    [2, 'nextTurn', 3],
    [2, 'previousTurn', 0],
    [4, 'previousTurn', 3],
    [0, 'previousTurn', 0],
    [0, 'nextCall', 2],
    [4, 'previousCall', 2],
    [4, 'nextCall', 4],
    [1, 'nextDecision', 4],
    [4, 'nextDecision', 4],
    [3, 'first', 0],
    [0, 'last', 4],
  ] as readonly (readonly [number, Move, number])[])('from %i %s leads to %i', (from, move, to) => {
    expect(moved({ index: from, part: 0.5 }, move, segments)).toBe(to);
  });
  it('finds a turn and a call', () => {
    expect(segmentOf(1, 0, segments)).toBe(2);
    expect(segmentOf(3, null, segments)).toBe(4);
    expect(segmentOf(1, 9, segments)).toBe(1);
    expect(segmentOf(9, null, segments)).toBe(0);
  });
  it('names the turns', () => {
    expect(episode.turns.map(({ turn }) => turnLabel(episode, turn))).toEqual([
      'user',
      'policy 1',
      'result',
      'answer ✓',
    ]);
  });
});

describe('the episode of the page', () => {
  it('fits into one message, whatever its script', () => {
    const long = episodeOfTests('long');
    const turns = long.turns.map((turn) => ({ ...turn, text: '漢'.repeat(260_000) }));
    const shown = playerEpisode({ ...long, turns }, { kept, pictures: [], samples: 1 });
    expect(new TextEncoder().encode(JSON.stringify(shown)).length).toBeLessThan(1_000_000);
  });
  it('puts calls that are logged apart on lines of their own, with their tool', () => {
    const one = episodeOfTests('one');
    const apart = { exact: false, text: 'I see.{"code":"1"}', content: 'I see.', reasoning: '' };
    const turns = one.turns.map((turn) => (turn.calls.length > 0 ? { ...turn, ...apart } : turn));
    const calls = one.calls.map((call) => ({ ...call, tool: 'python', arguments: { code: '1' } }));
    const shown = playerEpisode({ ...one, turns, calls }, { kept, pictures: [], samples: 1 });
    expect(shown.turns[1]?.text).toBe('I see.\n▶ python {"code":"1"}');
    expect(shown.turns[0]?.text).toBe(one.turns[0]?.text);
  });
  it('says how many characters it leaves out', () => {
    const long = episodeOfTests('long');
    const turns = long.turns.map((turn) => ({ ...turn, text: 'x'.repeat(260_000) }));
    const shown = playerEpisode({ ...long, turns }, { kept, pictures: [], samples: 1 });
    expect(shown.turns.map(({ text, cut }) => [text.length, cut])).toEqual([
      [250_000, 10_000],
      [250_000, 10_000],
      [250_000, 10_000],
      [16_666, 243_334],
    ]);
  });
});

const value = (logprob: number, entropy = 0, rank = 1): TokenValue => ({ logprob, entropy, rank });

describe('heat', () => {
  test.each([
    ['logprob', value(Math.log(0.95)), 0],
    ['logprob', value(Math.log(0.8)), 1],
    ['logprob', value(Math.log(0.3)), 2],
    ['logprob', value(Math.log(0.05)), 3],
    ['logprob', value(Number.NaN), 0],
    ['entropy', value(0, 0.4), 0],
    ['entropy', value(0, 1.5), 2],
    ['rank', value(0, 0, 1), 0],
    ['rank', value(0, 0, 2), 1],
    ['rank', value(0, 0, 30), 3],
  ] as const)('%s of %o is %i', (measure, own, level) => {
    expect(heatLevel(measure, own)).toBe(level);
  });
  it('grows with the value, within the strip', () => {
    const heights = [0, -1, -3, -50].map((logprob) => heatHeight('logprob', value(logprob)));
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(heights[0]).toBe(0);
    expect(heights[3]).toBe(1);
  });
  it('has no more columns than pixels, and none hides the strongest of its tokens', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => value(index === 4_321 ? -9 : 0));
    const columns = heatColumns('logprob', many, 300);
    expect(columns).toHaveLength(300);
    expect(columns.filter(({ level }) => level === 3)).toHaveLength(1);
    expect(heatColumns('logprob', many.slice(0, 5), 300)).toHaveLength(5);
    expect(heatColumns('logprob', [], 300)).toEqual([]);
  });
});

describe('tokens of an episode', () => {
  const slice = (first: number): TokenSlice => ({ ...alignedOfTests(), first, total: 4 });
  const values = {
    first: 0,
    logprob: Float32Array.of(-0.5, -2),
    entropy: Float32Array.of(0.1, 0.2),
    rank: Float32Array.of(1, 3),
    watched: Float32Array.of(),
    topIds: Int32Array.of(7, 8, 9, 2),
    topLogprobs: Float32Array.of(-0.5, -1, -0.1, -3),
  };
  it('come page by page, and their values in any order', () => {
    const tokens = episodeTokens(slice(0));
    tokens.add(slice(2));
    expect([tokens.count, tokens.wanted, tokens.done]).toEqual([4, 2, 0]);
    expect(tokens.ofTurn(1)).toEqual([1, 3]);
    tokens.take({ tokens: Int32Array.of(3, 1), values, texts: ['a', 'b', 'c', 'd'] });
    expect(tokens.done).toBe(2);
    expect(tokens.token(3)).toMatchObject({ text: 'b', logprob: -0.5, rank: 1, scored: true });
    expect(tokens.token(1).alternatives).toMatchObject([
      { id: 9, text: 'c' },
      { id: 2, text: 'd' },
    ]);
    expect(tokens.token(0)).toMatchObject({ scored: false, logprob: Number.NaN });
    // The same values again, as after a reload: nothing is counted twice.
    tokens.take({ tokens: Int32Array.of(3, 1), values });
    expect(tokens.done).toBe(2);
    expect(tokens.token(1).alternatives[0]?.text).toBeNull();
  });
  it('are said in words', () => {
    const tokens = episodeTokens(slice(0));
    expect(tokenLines(tokens.token(0), 'm').lines).toEqual(['given to the policy, not scored']);
    expect(tokenLines(tokens.token(1), 'm').lines).toEqual(['not scored yet']);
    tokens.take({
      tokens: Int32Array.of(1),
      values: { ...values, topIds: Int32Array.of(7), topLogprobs: Float32Array.of(-0.5) },
    });
    const said = tokenLines(tokens.token(1), 'policy · f32 · cpu');
    expect(said.name).toBe('“b”');
    expect(said.lines).toEqual([
      'probability 0.607, rank 1, entropy 0.1 nats',
      'replayed log-prob −0.5 (policy · f32 · cpu)',
      'no log-prob is logged for it',
    ]);
    expect(said.alternatives).toEqual(['“token 7” 0.607']);
    expect(tokenLines({ ...tokens.token(1), logged: -0.25 }, 'm').lines[2]).toBe(
      'logged log-prob −0.25, difference −0.25',
    );
  });
  it('say where they come from, what did not fit, and that nothing was scored', () => {
    const notes = ['2 tokens at the end did not fit.'];
    const cut = episodeTokens({
      ...slice(0),
      misaligned: 0.25,
      left: 2,
      notes: [...notes, replayTexts.misaligned(0.25)],
    });
    const said = scoringText(cut, false);
    expect(said).toMatch(/25 % misaligned: other tokens, .* Scored 0 of 1 token\. 2 tokens at the end/);
    expect(said.match(/25 %/g)).toHaveLength(1);
    const unscored = episodeTokens({ ...slice(0), scored: Uint8Array.of(0, 0, 0, 0) });
    expect(scoringText(unscored, true)).toMatch(/No token of the policy could be scored/);
    expect(scoringText(episodeTokens(slice(0)), true)).not.toMatch(/No token/);
  });
  it('end with the context of the model: turns behind it cannot be asked about', () => {
    const cut = episodeTokens({ ...slice(0), left: 5 });
    cut.add(slice(2));
    expect([1, 9].map((turn) => isBeyond(cut, turn))).toEqual([false, true]);
    expect(beyondText(cut, 9)).toMatch(/^This turn lies beyond the model’s context of 4 tokens/);
    expect(beyondText(cut, 1)).toMatch(/^The rest of this turn/);
    expect(beyondText(cut, 0)).toBe('');
    const whole = episodeTokens(slice(0));
    whole.add(slice(2));
    expect([isBeyond(whole, 9), isBeyond(null, 9), beyondText(whole, 1)]).toEqual([false, false, '']);
  });
  it('are written so that small ones can be read', () => {
    expect([0.5, 0.001, 0, 0.00000319, -0.00000405, 9.9996e-5, 1e-12].map(smallNumberText)).toEqual([
      '0.5',
      '0.001',
      '0',
      '3.19·10⁻⁶',
      '−4.05·10⁻⁶',
      '1·10⁻⁴',
      '1·10⁻¹²',
    ]);
  });
  it('show what cannot be seen', () => {
    expect(visibleText(' a\n\tb ')).toBe('␣a⏎⇥b␣');
  });
});

const point = (turn: number, change: Partial<DecisionPoint> = {}): DecisionPoint => ({
  turn,
  estimator: 'hazard',
  callProbability: 0.5,
  low: null,
  high: null,
  n: 0,
  temperature: 1,
  given: '',
  called: true,
  provenanceId: 'p',
  ...change,
});

describe('the curve', () => {
  it('shows the best estimate of each turn, a side at a time', () => {
    const sampled = point(1, { estimator: 'Monte Carlo', n: 32 });
    const points: readonly SidedPoint[] = [
      { side: 'main', point: point(1) },
      { side: 'main', point: sampled },
      { side: 'other', point: point(3) },
    ];
    expect(shownPoints(points, 'main')).toEqual([sampled]);
    expect(shownPoints(points, 'other')).toEqual([point(3)]);
  });
  it('never joins points of another estimator or provenance', () => {
    const parts = joinable([
      point(1),
      point(2),
      point(3, { provenanceId: 'q' }),
      point(4, { provenanceId: 'q', estimator: 'Monte Carlo' }),
    ]);
    expect(parts.map((part) => part.map(({ turn }) => turn))).toEqual([[1, 2], [3], [4]]);
  });
  it('takes the siblings from the log, once and without a model', () => {
    expect(siblingsPoint(episode)).toMatchObject([
      { side: null, point: { turn: 1, callProbability: 0.75, n: 16, provenanceId: null } },
    ]);
    expect(siblingsPoint({ ...episode, siblings: { count: 1, calledFirst: 1 } })).toEqual([]);
  });
  it('is drawn, and said in one sentence', () => {
    const points: readonly SidedPoint[] = [
      ...siblingsPoint(episode),
      {
        side: 'main',
        point: point(1, { callProbability: 0.93, low: 0.8, high: 0.98, n: 32, estimator: 'Monte Carlo' }),
      },
      { side: 'main', point: point(3, { callProbability: 0.07, called: false }) },
    ];
    const data = { episode, points, names: { main: 'm', other: '' }, turn: 1 };
    const source = toSource(curveDrawing(data));
    expect(source.match(/class="point main"/g)).toHaveLength(2);
    expect(source.match(/class="point siblings"/g)).toHaveLength(1);
    // Sampled and computed points are two estimators: no line between them.
    expect(source).not.toContain('curveLine');
    expect(source).toContain('●');
    expect(curveSentence(data)).toBe(
      'policy 1: P(call) 0.75 (n = 16), siblings. policy 1: P(call) 0.93 (0.8–0.98, n = 32), Monte Carlo. answer ✓: P(call) 0.07, hazard.',
    );
    expect(curveSentence({ ...data, points: [] })).toMatch(/once there is an estimate/);
    const both: readonly SidedPoint[] = [...points, { side: 'other', point: point(3, { callProbability: 0.0000003 }) }];
    expect(curveSentence({ ...data, points: both, names: { main: 'm', other: 'o' } })).toMatch(
      /Monte Carlo, m\. answer ✓: P\(call\) 0\.07, hazard, m\. answer ✓: P\(call\) 3·10⁻⁷, hazard, o\.$/,
    );
  });
});

describe('pictures of a turn', () => {
  const box = { number: 1, label: '', sentence: '', box: [0, 0, 1, 1] as const };
  it('are its own, and those that its calls looked at', () => {
    const turns = episode.turns.map((turn) => (turn.turn === 2 ? { ...turn, images: [1] } : turn));
    const pictures = [{ ref: kept.ref, image: 0, boxes: [{ ...box, call: 0 }], overlaps: [] }];
    const shown = [0, 1, 2, 9].map((turn) => picturesOf({ turns, pictures }, turn));
    expect(shown).toEqual([[], [0], [1], []]);
  });
  it('stand in the text as a few words', () => {
    const pads = (count: number): string => '<|image_pad|>'.repeat(count);
    expect(withoutPads(`a <|vision_start|>${pads(136)}<|vision_end|> b ${pads(2)}`)).toBe(
      'a [picture: 136 pads] b [picture: 2 pads]',
    );
    expect(withoutPads(`one ${pads(1)}`)).toBe(`one ${pads(1)}`);
  });
});

describe('samples of a branch', () => {
  const sample = (arm: 'intervention' | 'control', number: number, text: string): BranchSample => ({
    arm,
    sample: number,
    text,
    answer: null,
    correct: null,
    ended: 'answered',
    logprob: -1,
  });
  it('that say the same in one arm are one', () => {
    const groups = alike([
      sample('intervention', 0, 'a'),
      sample('control', 0, 'a'),
      sample('control', 1, 'a'),
      sample('control', 2, 'b'),
      sample('control', 3, 'cut…'),
      sample('control', 4, 'cut…'),
    ]);
    expect(groups.map((some) => some.map(({ sample: number }) => number))).toEqual([[0], [0, 1], [2], [3], [4]]);
    expect(playerTexts.sampleTitles('control', [0, 1])).toBe('control #1, #2 (2 times)');
    expect(playerTexts.sampleTitles('intervention', [4])).toBe('changed #5');
  });
});

describe('both arms', () => {
  const arm = { right: 29, judged: 32, samples: 32, share: 0.906, low: 0.76, high: 0.97 };
  it('have a mark and an interval each, told apart by shape', () => {
    const source = toSource(
      shareBars({ intervention: arm, control: arm, difference: { value: 0, low: -0.15, high: 0.15 } }),
    );
    expect(source).toMatch(/<rect[^>]*armMark changed/);
    expect(source).toMatch(/<circle[^>]*armMark control/);
    expect(source).toMatch(/<path[^>]*armMark delta/);
  });
  it('have no mark where nothing was judged', () => {
    const none = { ...arm, judged: 0, share: null, low: null, high: null };
    expect(toSource(shareBars({ intervention: none, control: none, difference: null }))).not.toContain('armMark');
  });
});

describe('the kept state', () => {
  test.each([
    [undefined, freshState],
    ['text', freshState],
    [{ kept: { ref: { run: 1 }, path: '/p' }, segment: -1, widthBy: 'x', speed: 3, measure: 'x' }, freshState],
    [
      { kept, segment: 3, widthBy: 'time', speed: 4, measure: 'rank' },
      { kept, segment: 3, widthBy: 'time', speed: 4, measure: 'rank' },
    ],
  ])('%o', (saved, state) => {
    expect(savedState(saved)).toEqual(state);
  });
});
