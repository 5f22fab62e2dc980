import { describe, expect, it } from 'vitest';
import {
  groupsPage,
  membersOfGroup,
  rolloutAt,
  rolloutAtLine,
  rolloutsOfFile,
  rolloutsPage,
  runCounts,
  searchRollouts,
  type RolloutOrder,
  type RolloutSelection,
  type StoredRollout,
} from '../../../src/store/questions.ts';
import { openRunTable, type RunFile } from '../../../src/store/runTable.ts';
import { columnsOf, databaseOfTests, derivedOf, okCall, rolloutAtRow } from './storeOfTests.ts';

const database = await databaseOfTests();
const all: RolloutSelection = {
  step: null,
  group: null,
  sort: null,
  descending: false,
  wrong: false,
  withCalls: false,
  redundant: false,
  pattern: null,
  text: '',
};

// Heavy ties on purpose: 6 files × 97 rows, two files a step, rewards of three values (one of them unknown).
const run = await openRunTable(database, 'ties');
const names = ['10.jsonl', '2.jsonl', 'sub/2.jsonl', 'A.jsonl', 'a.jsonl', 'ü.jsonl'];
const files: RunFile[] = names.map((file, index) => ({
  file,
  stepFromName: Math.floor(index / 2),
  parts: [
    {
      kind: 'columns',
      id: file,
      columns: columnsOf(
        Array.from({ length: 97 }, (_, row) =>
          rolloutAtRow(row, {
            place: { row, line: row * 3, bytes: { first: row * 300, count: 299 } },
            group: { key: `g${row % 8}`, source: 'inferred' },
            question: `Question ${row % 8}`,
            reward: { total: [0, 1, null][row % 3] ?? null, correct: row % 3 === 1 },
            calls: row % 4 === 0 ? [okCall()] : [],
          }),
        ),
      ),
    },
  ],
}));
await run.setFiles(files);
const batch = await run.columnsForAdvantages(null);
const derived = derivedOf(batch, (index) => [0, 1, Number.NaN][index % 3] ?? 0);
await run.setDerived(batch, { ...derived, correct: batch.correctLogged, qualifies: batch.correctLogged });

const placeOf = ({ file, row }: StoredRollout): string => `${file}:${row}`;

async function allPages(selection: Partial<RolloutSelection>, count: number): Promise<readonly StoredRollout[]> {
  const rows: StoredRollout[] = [];
  for (;;) {
    const page = await rolloutsPage(run, { ...all, ...selection, first: rows.length, count });
    if (page.rows.length === 0) {
      expect(rows).toHaveLength(page.total);
      return rows;
    }
    rows.push(...page.rows);
  }
}

describe('rolloutsPage', () => {
  const orders: readonly (RolloutOrder | null)[] = [
    null,
    'step',
    'reward',
    'calls',
    'accAdvantage',
    'toolAdvantage',
    'redundant',
    'wasted',
  ];
  it.each(orders.flatMap((sort) => [false, true].map((descending) => ({ sort, descending }))))(
    'gives each rollout once, ordered, for %o',
    async ({ sort, descending }) => {
      const rows = await allPages({ sort, descending }, 61);
      expect(new Set(rows.map(placeOf)).size).toBe(6 * 97);
      const value = (row: StoredRollout): number | null =>
        ({
          step: row.step,
          reward: row.reward,
          calls: row.calls,
          accAdvantage: row.accAdvantage,
          toolAdvantage: row.toolAdvantage,
          redundant: row.redundantCalls,
          wasted: row.wastedMs,
        })[sort ?? 'step'];
      const fileOrder = (row: StoredRollout): Buffer => Buffer.from(row.file);
      for (const [index, row] of rows.entries()) {
        const before = rows[index - 1];
        if (!before) continue;
        const [one, two] = [value(before), value(row)];
        if (one !== two) {
          // Unknown comes last in either direction.
          if (one === null || two === null) expect(two).toBeNull();
          else expect(sort !== null && descending ? one > two : one < two).toBe(true);
        } else if (before.step !== row.step) {
          expect(before.step).toBeLessThan(row.step);
        } else if (before.file !== row.file) {
          expect(Buffer.compare(fileOrder(before), fileOrder(row))).toBe(-1);
        } else {
          expect(before.row).toBeLessThan(row.row);
        }
      }
    },
  );

  const filters: readonly (readonly [filter: Partial<RolloutSelection>, holds: (row: StoredRollout) => boolean])[] = [
    [{ wrong: true }, (row) => row.correct === false],
    [{ withCalls: true }, (row) => row.calls > 0],
    [{ redundant: true }, (row) => row.redundantCalls > 0],
    [{ step: 1 }, (row) => row.step === 1],
    [{ step: 99 }, () => false],
    [{ step: 2, group: 'g3' }, (row) => row.step === 2 && row.group === 'g3'],
    [
      { wrong: true, withCalls: true, text: 'question 4' },
      (row) => row.correct === false && row.calls > 0 && row.question === 'Question 4',
    ],
    [{ text: '  STEP   1 ' }, (row) => row.step === 1],
    [{ text: 'step 1 question' }, (row) => row.step === 1 && row.question.includes('uestion')],
  ];
  it.each(filters)('filters by %o', async (filter, holds) => {
    const everything = await allPages({}, 500);
    expect((await allPages(filter, 500)).map(placeOf)).toEqual(everything.filter(holds).map(placeOf));
  });

  it.each([
    [{ first: 0, count: 10_000 }, 500],
    [{ first: 580, count: 500 }, 2],
    [{ first: -5, count: 3 }, 3],
    [{ first: 0.9, count: 2.9 }, 2],
    [{ first: Number.NaN, count: Number.NaN }, 0],
    [{ first: 9e15, count: 5 }, 0],
  ])('cuts the slice %o to %i rows', async (slice, length) => {
    const page = await rolloutsPage(run, { ...all, ...slice });
    expect([page.rows.length, page.total]).toEqual([length, 582]);
  });
});

describe('search', () => {
  const texts = [
    `it's "quoted"; DROP TABLE run`,
    '100% sure',
    'under_score and back\\slash',
    'STRASSE Ünïcödé 48 × 7 = ?',
    '日本語の質問 😀',
    'plain 100 percent',
    'tab\tand\nnewline',
    '$word0 $1 ?',
  ];
  const searched = openRunTable(database, 'search').then(async (table) => {
    const rollouts = texts.map((question, row) => rolloutAtRow(row, { question, id: row === 0 ? 'ID-7%_' : null }));
    await table.setFiles([
      { file: 'a', stepFromName: 31, parts: [{ kind: 'columns', id: 'a', columns: columnsOf(rollouts) }] },
    ]);
    return table;
  });
  const cases: readonly (readonly [text: string, rows: readonly number[]])[] = [
    ["it's", [0]],
    [`"QUOTED"; drop`, [0]],
    ['%', [1]],
    ['100%', [1]],
    ['_', [2]],
    ['back\\slash', [2]],
    ['ünïcödé strasse', [3]],
    ['× ?', [3]],
    ['質問', [4]],
    ['😀 日本', [4]],
    ['id-7', [0]],
    ['ID-7%_', [0]],
    // Short words match ids at their start only: two digits are somewhere in most hexadecimal ids.
    ['7%', []],
    ['31 plain', [5]],
    ['step', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['tab and', [6]],
    ['$word0', [7]],
    ['nothing', []],
    ["' OR 1=1 --", []],
    ['', [0, 1, 2, 3, 4, 5, 6, 7]],
  ];
  it.each(cases)('%o finds %o', async (text, rows) => {
    const found = await searchRollouts(await searched, { text, limit: 100 });
    expect(found.map(({ row }) => row)).toEqual(rows);
    const page = await rolloutsPage(await searched, { ...all, text, first: 0, count: 100 });
    expect(page.rows.map(({ row }) => row)).toEqual(rows);
  });
  it.each([
    ['5,000 words', Array.from({ length: 5_000 }, (_, index) => `w${index}`).join(' ')],
    ['one word of 1 MB', 'x'.repeat(1_000_000)],
    ['NUL', 'a\u0000b'],
    ['half a surrogate pair', '\ud800'],
  ])('takes %s for what it is', async (_, text) => {
    expect(await searchRollouts(await searched, { text, limit: 100 })).toEqual([]);
  });
  it('stops at its limit', async () => {
    expect(await searchRollouts(await searched, { text: 'step', limit: 3 })).toHaveLength(3);
  });
});

describe('groupsPage', () => {
  it('gives the groups of a step in order of first appearance, with sizes', async () => {
    const { rows, total } = await groupsPage(run, { step: 1, first: 0, count: 5 });
    expect(total).toBe(8);
    expect(rows.map(({ key }) => key)).toEqual(['g0', 'g1', 'g2', 'g3', 'g4']);
    // 97 = 12 × 8 + 1 in two files: g0 has 26 members, the others 24.
    expect(rows[0]).toMatchObject({ step: 1, question: 'Question 0', size: 26, oddSize: true });
    expect(rows[1]).toMatchObject({ size: 24, oddSize: false, correct: 8, qualifying: 8 });
    expect((await groupsPage(run, { step: 1, first: 5, count: 5 })).rows.map(({ key }) => key)).toEqual([
      'g5',
      'g6',
      'g7',
    ]);
    expect(await groupsPage(run, { step: 7, first: 0, count: 5 })).toEqual({ rows: [], total: 0 });
  });

  it('gives all members of a group in file order', async () => {
    const members = await membersOfGroup(run, 1, 'g0');
    expect(members.map(placeOf)).toEqual(
      ['A.jsonl', 'sub/2.jsonl'].flatMap((file) => Array.from({ length: 13 }, (_, i) => `${file}:${i * 8}`)),
    );
    expect(members.map(({ member }) => member)).toEqual(members.map((_, index) => index + 1));
  });
});

describe('places', () => {
  it.each([
    [0, 0],
    [3, 1],
    [4, 1],
    [5, 1],
    [1_000_000, 96],
  ])('line %i is in row %i', async (line, row) => {
    expect(await rolloutAtLine(run, 'a.jsonl', line)).toMatchObject({ file: 'a.jsonl', row });
  });
  it('knows no line before the first, no other file and no missing row', async () => {
    expect(await rolloutAtLine(run, 'a.jsonl', -1)).toBeNull();
    expect(await rolloutAtLine(run, 'b.jsonl', 1)).toBeNull();
    expect(await rolloutAt(run, 'a.jsonl', 97)).toBeNull();
    expect(await rolloutAt(run, 'ü.jsonl', 96)).toMatchObject({ line: 288, byteFirst: 28_800, byteCount: 299 });
  });
  it('lists the rollouts of a file in line order', async () => {
    const { rows, total } = await rolloutsOfFile(run, { file: '2.jsonl', first: 90, count: 500 });
    expect(total).toBe(97);
    expect(rows.map(({ row }) => row)).toEqual([90, 91, 92, 93, 94, 95, 96]);
  });
});

describe('counts', () => {
  it('counts the run and its steps', async () => {
    expect(await runCounts(run)).toEqual({
      rollouts: 582,
      groups: 24,
      steps: 3,
      firstStep: 0,
      lastStep: 2,
      firstToolRate: 50 / 194,
      lastToolRate: 50 / 194,
    });
  });
  it('has an answer for an empty run', async () => {
    const empty = await openRunTable(database, 'empty');
    const none = { rollouts: 0, groups: 0, steps: 0 };
    expect(await runCounts(empty)).toEqual({
      ...none,
      firstStep: null,
      lastStep: null,
      firstToolRate: null,
      lastToolRate: null,
    });
    expect(await rolloutsPage(empty, { ...all, first: 0, count: 5 })).toEqual({ rows: [], total: 0 });
  });
});
