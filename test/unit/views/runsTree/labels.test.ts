/** What nodes, tooltips, title and message say: tables of row and text, in the wording of the wireframes. */
import { describe, expect, it } from 'vitest';
import { noFilter, type RolloutFilter } from '../../../../src/protocol/engine.ts';
import { filterFrom, filterText, isFiltered, isFlat } from '../../../../src/views/runsTree/filterText.ts';
import {
  groupTexts,
  pageTexts,
  rolloutTexts,
  runTexts,
  stepRangeTexts,
  stepTexts,
  type NodeTexts,
} from '../../../../src/views/runsTree/labels.ts';
import type { Finding } from '../../../../src/model/finding.ts';
import { doctorBlocks, groupTooltip, runTooltip, stepTooltip } from '../../../../src/views/runsTree/tooltips.ts';
import { viewState, type ViewFacts } from '../../../../src/views/runsTree/viewState.ts';
import { statusText } from '../../../../src/views/statusBar/statusText.ts';
import { groupRow, l10n, rolloutRow, run, stepRow } from './fixtures.ts';

const hash = '3f786850e387550fdab836ed7e6dc881de23001b';
const cases: readonly (readonly [string, NodeTexts, string, string])[] = [
  ['a run', runTexts(run(), l10n), 'hdpo', 'Metis / verl-tool · 60 steps · 15,360 rollouts · tool 98 % → 21 %'],
  [
    'a run that is being written',
    runTexts(run({ live: true, steps: 1, lastStep: 61, rollouts: 1, firstToolRate: null }), l10n),
    'hdpo',
    'Metis / verl-tool · writing step 61 · 1 step · 1 rollout',
  ],
  [
    'a run of one step, partly read, with notes',
    runTexts(run({ steps: 1, state: 'partial', notes: 2 }), l10n),
    'hdpo',
    'Metis / verl-tool · 1 step · 15,360 rollouts · tool 21 % · partly read · 2 notes',
  ],
  [
    'a run without steps',
    runTexts(run({ name: 'airline', producer: 'tau-bench', hasSteps: false, rollouts: 200, lastToolRate: null }), l10n),
    'airline',
    'tau-bench · 200 rollouts',
  ],
  [
    'a range of steps',
    stepRangeTexts(stepRow(1, { accuracy: 0.314 }), stepRow(20), l10n),
    'steps 1–20',
    'acc 0.314 → 0.61 · tool 74 % → 74 %',
  ],
  [
    'a step',
    stepTexts(stepRow(17, { redundant_call_rate: 0.31 }), l10n),
    'step 17',
    'acc 0.61 · tool 74 % · redundant 31 %',
  ],
  [
    'a step without accuracy',
    stepTexts(stepRow(17, { accuracy: null, reward_mean: -1.25, tool_rate: null, redundant_call_rate: null }), l10n),
    'step 17',
    'reward −1.25',
  ],
  ['a group', groupTexts(groupRow(17, hash), l10n), '48 × 7 = ?', 'G 16 · 9 ✓ · |Q| 9'],
  [
    'a task with a long prompt',
    groupTexts(groupRow(0, '12', { question: 'You are mia_li_3668. You want to fly from New York to Seattle.' }), l10n),
    '12 · You are mia_li_3668. You want to fly fr…',
    'G 16 · 9 ✓ · |Q| 9',
  ],
  [
    'a group of another size',
    groupTexts(groupRow(17, hash, { question: '', oddSize: true }), l10n),
    '(no question)',
    'G 16 · 9 ✓ · |Q| 9 · merged or cut',
  ],
  ['a rollout', rolloutTexts(rolloutRow(4), 'in group', l10n), '#5', '✓ T 2 A_acc +0.86 A_tool −0.70 · reward 1'],
  [
    'a wrong rollout with a redundant call',
    rolloutTexts(
      rolloutRow(5, {
        correct: false,
        reward: 0.1,
        calls: 1,
        redundantCalls: 1,
        accAdvantage: -1.08,
        toolAdvantage: 0,
      }),
      'in group',
      l10n,
    ),
    '#6',
    '✗ T 1 A_acc −1.08 A_tool 0 ⚠ 1 · reward 0.1',
  ],
  [
    'a rollout of which little is known',
    rolloutTexts(
      rolloutRow(0, { correct: null, reward: null, accAdvantage: null, toolAdvantage: null, loggedAdvantage: 0.5 }),
      'in group',
      l10n,
    ),
    '#1',
    'T 2 · logged A +0.50',
  ],
  [
    'a rollout in a flat list',
    rolloutTexts(rolloutRow(4), 'flat', l10n),
    'step 17 #5',
    '✓ T 2 A_acc +0.86 A_tool −0.70 · reward 1 · 48 × 7 = ?',
  ],
  [
    'a rollout in a flat list of a log without steps',
    rolloutTexts(rolloutRow(4, { step: 0 }), 'flat without steps', l10n),
    '#5',
    '✓ T 2 A_acc +0.86 A_tool −0.70 · reward 1 · 48 × 7 = ?',
  ],
  [
    'a log without steps that is being written',
    runTexts(run({ hasSteps: false, live: true, lastStep: 0, rollouts: 2, lastToolRate: null }), l10n),
    'hdpo',
    'Metis / verl-tool · being written · 2 rollouts',
  ],
  ['a page', pageTexts('rollouts', { first: 500, count: 500 }, l10n), 'rollouts 501–1,000', ''],
];

it.each(cases)('%s', (_, texts, label, description) => {
  expect([texts.label, texts.description]).toEqual([label, description]);
  expect(texts.spoken).not.toBe('');
});

it('says to a screen reader what signs say to others', () => {
  expect(rolloutTexts(rolloutRow(4, { redundantCalls: 1 }), 'in group', l10n).spoken).toBe(
    'Rollout 5 of 16, right, 2 calls, reward 1, accuracy advantage +0.86, efficiency advantage −0.70, 1 redundant call',
  );
  expect(groupTexts(groupRow(17, hash), l10n).spoken).toBe(
    'Group of 16: 48 × 7 = ?; 9 right, 9 qualify for the efficiency channel',
  );
});

it('shows the verdict, T and both advantages within the 32 characters that are visible', () => {
  const { description } = rolloutTexts(rolloutRow(4), 'in group', l10n);
  expect(description.slice(0, 32)).toBe('✓ T 2 A_acc +0.86 A_tool −0.70 ·');
});

const findings: readonly Finding[] = [
  { code: 'answer-equals-truth-scored-wrong', severity: 'warning', sentence: '3 rollouts were scored wrong.', fix: [] },
  { code: 'group-inferred', severity: 'information', sentence: 'Groups were inferred.', fix: ['uid = 1'] },
  { code: 'step-not-logged', severity: 'information', sentence: 'No step.', fix: ['step = 17', 'uid = 1'] },
];

describe('tooltips', () => {
  it('of a run say what the doctor found once: no step is said anyway', () => {
    expect(doctorBlocks(findings, l10n).map((block) => block.text)).not.toContain('No step.');
    expect(doctorBlocks([], l10n)).toEqual([]);
  });

  it.each([
    ['a run', runTooltip(run({ notes: 3, rewardThreshold: 0.5 }), l10n), '60 of 60 files read (6 GB of 6 GB)'],
    ['a run with notes', runTooltip(run({ notes: 3 }), l10n), '3 notes about its content'],
    ['a run with a threshold', runTooltip(run({ rewardThreshold: 0.5 }), l10n), 'a reward above 0.5 counts as right'],
    ['a run with findings', doctorBlocks(findings, l10n), 'Warning: 3 rollouts were scored wrong.'],
    ['a run with lines to add', doctorBlocks(findings, l10n), 'Lines to add to the trainer:\nuid = 1\nstep = 17'],
    ['a run without steps', runTooltip(run({ hasSteps: false }), l10n), 'no training steps'],
    ['a step', stepTooltip(stepRow(17), l10n), 'effective w_tool'],
    ['a group', groupTooltip(groupRow(17, 'g', { oddSize: true }), l10n), 'Merged or cut'],
  ])('of %s says "%s"', (_, blocks, part) => {
    expect(blocks.map((block) => block.text).join('\n')).toContain(part);
  });
});

describe('filter', () => {
  const filters: readonly (readonly [Partial<RolloutFilter>, string, boolean, boolean])[] = [
    [{}, '', false, false],
    [{ wrong: true }, 'wrong', true, true],
    [{ sort: 'reward', descending: true }, 'Reward ↓', true, false],
    [
      { wrong: true, withCalls: true, redundant: true, text: '7 ×', sort: 'toolAdvantage' },
      'wrong · with calls · redundant · "7 ×" · Efficiency advantage (A_tool) ↑',
      true,
      true,
    ],
    [
      { pattern: { tool: 'python', rule: 'repeat' }, redundant: true, sort: 'wasted', descending: true },
      'python: repeats an earlier call · Wasted latency ↓',
      true,
      true,
    ],
    [{ pattern: { tool: null, rule: 'sibling' } }, 'siblings were right with fewer calls', true, true],
    [{ pattern: { tool: null, rule: 'twin' } }, 'no tool named: same call twice in one turn', true, true],
  ];
  it.each(filters)('%j', (change, text, flat, filtered) => {
    const filter = { ...noFilter, ...change };
    expect([filterText(filter, l10n), isFlat(filter), isFiltered(filter)]).toEqual([text, flat, filtered]);
    expect(filterFrom(JSON.parse(JSON.stringify(filter)))).toEqual(filter);
  });
  it.each([[null], ['x'], [[]], [{ sort: 'nonsense', wrong: 'yes', text: 7 }]])('%j reads as no filter', (value) => {
    expect(filterFrom(value)).toEqual(noFilter);
  });
});

describe('viewState', () => {
  const facts: ViewFacts = {
    runs: [],
    search: { state: 'done', folders: 14, files: 120 },
    engine: 'running',
    filter: noFilter,
    localFolders: 1,
    otherFolders: 0,
  };
  const indexing = run({ state: 'indexing', filesRead: 12, bytesRead: 1.2e9 });
  const states: readonly (readonly [string, Partial<ViewFacts>, Partial<ReturnType<typeof viewState>>])[] = [
    [
      'before the search',
      { search: { state: 'not started', folders: 0, files: 0 } },
      { welcome: 'searching', message: undefined },
    ],
    ['while searching', { search: { state: 'searching', folders: 0, files: 0 } }, { welcome: 'searching' }],
    ['nothing found', {}, { welcome: 'nothing', message: undefined, description: 'looked at 120 files in 14 folders' }],
    ['no folder', { localFolders: 0 }, { welcome: 'noFolder', description: undefined, message: undefined }],
    ['folders elsewhere', { localFolders: 0, otherFolders: 1 }, { welcome: 'otherFolders', message: undefined }],
    [
      'indexing',
      { runs: [indexing] },
      { welcome: 'runs', indexing: true, message: 'Indexing hdpo: 20 %, 12 of 60 files, 1.2 GB of 6 GB' },
    ],
    [
      'indexing two runs',
      { runs: [indexing, { ...indexing, id: 's' }, run()] },
      { message: 'Indexing 2 runs: 20 %, 24 of 120 files, 2.4 GB of 12 GB' },
    ],
    [
      'indexing nothing yet',
      { runs: [run({ state: 'indexing', bytes: 0, bytesRead: 0, files: 0, filesRead: 0 })] },
      { indexing: true },
    ],
    ['all read', { runs: [run()] }, { message: undefined, indexing: false }],
    [
      'a filter',
      { runs: [run()], filter: { ...noFilter, wrong: true } },
      { description: 'wrong', message: 'Shown: wrong', flat: true },
    ],
    [
      'runs, and folders elsewhere',
      { runs: [run()], otherFolders: 1 },
      { message: 'Folders that are not on this disk are not searched.' },
    ],
  ];
  it.each(states)('%s', (_, change, expected) => {
    expect(viewState({ ...facts, ...change }, l10n)).toMatchObject(expected);
  });
  it('says that the engine died, and how it comes back', () => {
    expect(viewState({ ...facts, runs: [indexing], engine: 'died' }, l10n).message).toMatch(
      /ended unexpectedly.*Refresh/,
    );
  });
});

describe('statusText', () => {
  it.each([
    [-0.7, 2, 'A_tool −0.70 · T 2'],
    [0, 0, 'A_tool 0 · T 0'],
    [null, 3, 'T 3'],
    [-1.234, 123456, 'T 123,456'],
  ])('%s and T %d', (toolAdvantage, calls, text) => {
    expect(statusText({ toolAdvantage, calls })).toBe(text);
    expect(text.length).toBeLessThanOrEqual(20);
  });
});
