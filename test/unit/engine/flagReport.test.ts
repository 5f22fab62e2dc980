/** The flags of one rollout: sentences with their references, siblings as witnesses, boxes, and the counterfactual by hand. */
import { describe, expect, it } from 'vitest';
import { contentHash, flagReport, type ReportGroup } from '../../../src/engine/flagReport.ts';
import { buildCall, buildImage, buildRollout, buildTurn, callPart, textPart } from '../../../src/model/builder.ts';
import type { Call, LoggedImage, Rollout } from '../../../src/model/rollout.ts';
import { defaultRuleSettings, type FlagReport, type RuleSettings } from '../../../src/protocol/flags.ts';
import { counterfactualTitle } from '../../../src/protocol/flagTexts.ts';
import type { StoredRollout } from '../../../src/store/questions.ts';

/** A rollout whose calls come one a turn, each answered in the next. */
function rolloutOf(
  calls: readonly Partial<Call>[],
  change: { readonly images?: readonly LoggedImage[]; readonly question?: string } = {},
): Rollout {
  return buildRollout({
    place: { row: 0, line: 0, bytes: { first: 0, count: 9 } },
    producer: 'test',
    group: { key: 'g', source: 'inferred' },
    images: change.images ?? [],
    turns: [
      buildTurn({ role: 'user', parts: [textPart(change.question ?? '48 × 7 = ?')], prompt: true }),
      ...calls.flatMap((call, index) => [
        buildTurn({ role: 'policy', parts: [callPart(index)] }),
        buildTurn({ role: 'tool', parts: [textPart(call.observation ?? '')], observes: [index] }),
      ]),
    ],
    calls: calls.map((call, index) =>
      buildCall({ turn: 1 + 2 * index, tool: 'python', raw: '', outcome: 'ok', ...call }),
    ),
  });
}

const compute = { arguments: { code: 'print(48 * 7)' }, raw: 'print(48 * 7)', observation: '336', latencyMs: 600 };

/** Member `place` (from 1) of the group; right unless said otherwise, r_tool = 1/(T + 1). */
function member(place: number, calls: number, change: Partial<StoredRollout> = {}): StoredRollout {
  const correct = change.correct ?? true;
  return {
    file: '17.jsonl',
    row: place - 1,
    line: place - 1,
    byteFirst: 0,
    byteCount: 9,
    item: null,
    step: 17,
    group: 'g',
    groupInferred: true,
    member: place,
    groupSize: 4,
    groupQualifying: 3,
    id: null,
    question: '',
    reward: correct ? 1 : 0,
    answerReward: null,
    formatReward: null,
    correctLogged: correct,
    correctDecoded: false,
    correct,
    calls,
    failedCalls: 0,
    redundantCalls: 0,
    siblingCalls: 0,
    wastedMs: null,
    modelTokens: null,
    modelCharacters: 0,
    accReward: correct ? 1 : 0,
    toolReward: correct ? 1 / (calls + 1) : 0,
    accAdvantage: 0,
    toolAdvantage: 0,
    loggedAdvantage: null,
    qualifies: correct,
    masked: false,
    stopReason: null,
    ...change,
  };
}

function reportOf(rollout: Rollout, group: ReportGroup | null = null, rules: RuleSettings = defaultRuleSettings) {
  return flagReport(rollout, { run: 'run', rules, group, verdictOf: () => null });
}

const brief = ({ flags }: FlagReport) =>
  flags.map(({ call, rule, confidence, sentence }) => [call, rule, confidence, sentence]);

describe('the flags of a rollout', () => {
  it('carry a sentence with its references, what they cost, and an id that only the content decides', () => {
    const rollout = rolloutOf([compute, { ...compute, arguments: { code: 'print(48*7)  # again' } }]);
    const { flags } = reportOf(rollout);
    expect(flags).toMatchObject([
      {
        call: 1,
        count: 1,
        rule: 'repeat',
        confidence: 'likely',
        sentence: 'repeats call 1: same code, same result (says little)',
        refersTo: 0,
        latencyMs: 600,
        characters: 16,
        witnesses: [],
        boxes: [],
      },
    ]);
    const moved = { ...rollout, place: { row: 7, line: 9, bytes: { first: 3, count: 1 } }, step: 5, id: 'x' };
    expect(reportOf(moved).flags[0]?.id).toBe(flags[0]?.id);
    const other = rolloutOf([compute, { ...compute, observation: '336\n' }]);
    expect(contentHash(other)).not.toBe(contentHash(rollout));
  });

  it('name the rule, call and measure of each kind', () => {
    const long = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');
    const search = (query: string, links: readonly number[]) => ({
      tool: 'search',
      arguments: { query },
      observation: links.map((link) => `https://example.org/${link}`).join('\n'),
    });
    const failed = {
      outcome: 'malformed' as const,
      raw: 'broken',
      tool: null,
      failure: 'not JSON',
      observation: 'not JSON',
    };
    const cases: readonly (readonly [calls: readonly Partial<Call>[], sentence: string])[] = [
      [[{ arguments: { code: "print('336')" }, observation: '336' }], 'prints only what it was given'],
      [
        [search('Paris population', [1, 2, 3, 4, 5]), search('the population paris', [1, 2, 3, 4, 9])],
        'nearly repeats call 1: same terms, 80 % of its links were there',
      ],
      [[failed, failed], 'retries call 1, which failed for a reason that repeating cannot change: not JSON'],
      [
        [
          { tool: 'read_file', arguments: { path: 'a', start_line: 1, end_line: 90 }, observation: long },
          { tool: 'read_file', arguments: { path: 'a', start_line: 5, end_line: 9 }, observation: 'short' },
        ],
        '5–9 lies inside 1–90, which call 1 read',
      ],
      [
        [compute, { ...compute, outcome: 'refused', failure: 'asked before' }],
        'refused by the tool as done before (call 1)',
      ],
    ];
    for (const [calls, sentence] of cases) {
      expect(reportOf(rolloutOf(calls)).flags.map((flag) => flag.sentence)).toContain(sentence);
    }
  });

  it('show the boxes that were compared, this call first, as shares of the picture', () => {
    const crop = (code: string) => ({ arguments: { code }, observation: '' });
    const picture = buildImage({ origin: 'prompt', state: 'absent', mime: null, base64: null });
    const half = 'w, h = image_1.size\nimage_1.crop((0, 0, w * 0.5, h)).show()';
    const same = 'w, h = image_1.size\nimage_1.crop((0, 0, w * 0.52, h)).show()';
    const corner = 'w, h = image_1.size\nimage_1.crop((w * 0.8, h * 0.8, w, h)).show()';
    const { flags, crops } = reportOf(rolloutOf([crop(half), crop(same), crop(corner)], { images: [picture] }));
    // One that nothing flags is drawn beside the others.
    expect(crops.map(({ call }) => call)).toEqual([0, 1, 2]);
    const near = flags.find(({ rule }) => rule === 'near-repeat');
    expect(near?.sentence).toMatch(/^nearly repeats call 1: the boxes overlap with IoU 0\.96/u);
    expect(near?.boxes.map(({ call, image }) => [call, image])).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(near?.boxes[0]?.box[2]).toBeCloseTo(0.52);
  });

  it('are those of the settings', () => {
    const rollout = rolloutOf([compute, compute]);
    expect(reportOf(rollout, null, { ...defaultRuleSettings, off: ['repeat'] })).toEqual({
      flags: [],
      counterfactual: null,
      crops: [],
    });
  });

  it('stay below the size of a message, what counts before hints', () => {
    const calls = Array.from({ length: 3_000 }, (_, index) => ({
      ...compute,
      arguments: { code: `print('${index}')` },
    }));
    const { flags, counterfactual } = reportOf(rolloutOf(calls));
    expect(JSON.stringify(flags).length).toBeLessThan(95_000);
    expect(counterfactual).toMatchObject({ count: 3_000, calls: [3_000, 0] });
  });
});

describe('siblings', () => {
  const rollout = rolloutOf([compute, { ...compute, arguments: { code: 'print(7 * 48)' } }], {
    question: 'Which?\nA. 336\nB. 337\nC. 338\nD. 339',
  });

  it('that were right without a call flag each call, with witnesses and the chance level', () => {
    const own = member(1, 2, { toolAdvantage: -1.5 });
    const members = [own, member(2, 0), member(3, 0), member(4, 0)];
    const report = reportOf(rollout, { own, members });
    const sentence = '3 of 3 siblings were right with no call: 100 % (44 % to 100 %); none with more; guessing: 25 %';
    expect(brief(report)).toEqual([
      [0, 'sibling', 'likely', sentence],
      [1, 'sibling', 'likely', sentence],
    ]);
    expect(report.flags[0]?.witnesses.map(({ ref, correct, calls }) => [ref.row, correct, calls])).toEqual([
      [1, true, 0],
      [2, true, 0],
      [3, true, 0],
    ]);
    // r_tool of the others is 1: with 1/3 the mean is 5/6 and the sample std 1/3, with 1 all are equal.
    expect(report.counterfactual).toMatchObject({
      without: [0, 1],
      count: 2,
      calls: [2, 0],
      toolReward: [1 / 3, 1],
      toolAdvantage: [-1.5, 0],
      groupCleaned: { toolAdvantage: 0, equalCalls: true },
      latencyMs: 1200,
    });
  });

  it('that were right with fewer calls prove a number only, and a hint is not counted', () => {
    const own = member(1, 2);
    const likely = reportOf(rollout, { own, members: [own, member(2, 1), member(3, 1), member(4, 1)] });
    expect(likely.flags).toMatchObject([{ call: null, count: 1, rule: 'sibling', confidence: 'likely' }]);
    expect(likely.flags[0]?.sentence).toMatch(/^1 call too many: 3 of 3 siblings were right with at most 1 call/u);
    expect(likely.counterfactual).toMatchObject({ without: [], count: 1, calls: [2, 1], latencyMs: null });
    const two = reportOf(rollout, { own, members: [own, member(2, 1), member(3, 1)] });
    expect(two.flags).toMatchObject([{ confidence: 'hint' }]);
    expect(two.counterfactual).toBeNull();
  });

  it('say nothing of a wrong rollout, nor where the rule is off or asks for more', () => {
    const own = member(1, 2);
    const members = [own, member(2, 0), member(3, 0), member(4, 0)];
    const wrong = member(1, 2, { correct: false });
    expect(reportOf(rollout, { own: wrong, members: [wrong, ...members.slice(1)] }).flags).toEqual([]);
    expect(reportOf(rollout, { own, members }, { ...defaultRuleSettings, off: ['sibling'] }).flags).toEqual([]);
    const strict = reportOf(rollout, { own, members }, { ...defaultRuleSettings, siblingLikelyFrom: 0.6 });
    expect(strict.flags.map(({ confidence }) => confidence)).toEqual(['hint', 'hint']);
  });
});

describe('the counterfactual', () => {
  const rollout = rolloutOf([compute, compute]);

  it('takes mean and std of Q again, by hand', () => {
    // Q: r_tool 1/3 (this one), 1, 1/2: mean 11/18, sample std 0.346944; without call 2: 1/2, 1, 1/2: mean 2/3, std 0.288675.
    const own = member(1, 2, { toolAdvantage: -0.80064, redundantCalls: 1 });
    const members = [own, member(2, 0), member(3, 1), member(4, 3, { correct: false })];
    const { counterfactual } = reportOf(rollout, { own, members });
    expect(counterfactual).toMatchObject({ without: [1], count: 1, calls: [2, 1], toolReward: [1 / 3, 1 / 2] });
    expect(counterfactual?.toolAdvantage?.[0]).toBe(-0.80064);
    expect(counterfactual?.toolAdvantage?.[1]).toBeCloseTo(-0.57735, 4);
    expect(counterfactual?.groupCleaned?.toolAdvantage).toBeCloseTo(-0.57735, 4);
    expect(counterfactual && counterfactualTitle(counterfactual)).toBe(
      '⚠ 1 redundant call (saves 0.6 s; r_tool 0.333 → 0.5, A_tool −0.80 → −0.58)',
    );
  });

  it('of the whole group takes the larger part of each member, and says when no signal is left', () => {
    // Cleaned T: 1, 3 − 2 = 1, 2 − 1 = 1.
    const own = member(1, 2, { redundantCalls: 1 });
    const members = [own, member(2, 3, { redundantCalls: 1, siblingCalls: 2 }), member(3, 2, { redundantCalls: 1 })];
    expect(reportOf(rollout, { own, members }).counterfactual?.groupCleaned).toEqual({
      toolAdvantage: 0,
      equalCalls: true,
    });
  });

  it('is only a cost where the answer is wrong or the group is not known', () => {
    const wrong = member(1, 2, { correct: false });
    for (const group of [null, { own: wrong, members: [wrong, member(2, 0)] }]) {
      const { counterfactual } = reportOf(rollout, group);
      expect(counterfactual).toMatchObject({
        count: 1,
        toolReward: null,
        toolAdvantage: null,
        groupCleaned: null,
        latencyMs: 600,
      });
      expect(counterfactual && counterfactualTitle(counterfactual)).toBe('⚠ 1 redundant call (saves 0.6 s)');
    }
  });
});
