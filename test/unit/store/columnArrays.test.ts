import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { buildCall, buildTurn } from '../../../src/model/builder.ts';
import {
  appendRollout,
  createRolloutColumns,
  finishColumns,
  transferList,
  type ColumnData,
  type TableColumns,
} from '../../../src/store/columnArrays.ts';
import { callColumns, rolloutColumns, runColumns, type Column } from '../../../src/store/columns.ts';
import { answerKey, callValues, rolloutValues } from '../../../src/store/rolloutValues.ts';
import { columnsOf, okCall, rolloutAtRow } from './storeOfTests.ts';

function valueIn(data: ColumnData | undefined, index: number): number | string | null | undefined {
  if (!data || (data.valid !== null && data.valid[index] === 0)) return null;
  if (data.kind === 'number') return data.values[index];
  return new TextDecoder().decode(data.bytes.subarray(data.offsets[index], data.offsets[index + 1]));
}

function rowOf(table: TableColumns, columns: readonly Column[], index: number): Record<string, unknown> {
  return Object.fromEntries(columns.map(({ name }, i) => [name, valueIn(table.columns[i], index)]));
}

describe('column lists', () => {
  it('has a value for each column and no value without a column', () => {
    expect(Object.keys(rolloutValues)).toEqual(rolloutColumns.map(({ name }) => name));
    expect(Object.keys(callValues)).toEqual(callColumns.map(({ name }) => name));
  });
  it('names no column twice in an open run', () => {
    const names = [...rolloutColumns, ...runColumns].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('appendRollout', () => {
  const call = (outcome: 'ok' | 'failed' | 'refused', more = {}) =>
    buildCall({ turn: 1, tool: 'zoom', raw: '{"x":1}', outcome, observation: 'four', latencyMs: 2.5, ...more });
  const rollout = rolloutAtRow(7, {
    step: 3,
    id: 'ü-1',
    question: 'How many?',
    answer: '  Forty  TWO ',
    groundTruth: ['42', 'forty two'],
    turns: [
      buildTurn({ role: 'user', parts: [], prompt: true, characters: 50 }),
      buildTurn({ role: 'policy', parts: [], prompt: true, characters: 1000 }),
      buildTurn({ role: 'policy', parts: [], characters: 10 }),
      buildTurn({ role: 'tool', parts: [], characters: 99 }),
      buildTurn({ role: 'policy', parts: [], characters: 5 }),
    ],
    calls: [
      call('ok'),
      call('failed'),
      call('refused', { tool: null, latencyMs: null }),
      call('failed', { sent: false }),
    ],
    reward: { total: 0.9, answer: 1, format: 0, correct: true },
    masked: true,
    modelTokens: 12,
  });
  const builder = createRolloutColumns();
  appendRollout(builder, rollout, [
    { rules: [], measured: { coveredShare: 0.6 } },
    { rules: ['repeat', 'twin'], measured: {} },
  ]);
  const { rollouts, calls } = finishColumns(builder);

  it('counts what was sent, what failed and what is flagged', () => {
    expect(rowOf(rollouts, rolloutColumns, 0)).toEqual({
      row: 7,
      line: 7,
      byte_first: 700,
      byte_count: 99,
      item: null,
      step_logged: 3,
      group_key: 'g0',
      group_inferred: 1,
      id: 'ü-1',
      question: 'How many?',
      answer_key: answerKey('forty two'),
      answer_is_truth: 1,
      reward: 0.9,
      answer_reward: 1,
      format_reward: 0,
      correct_logged: 1,
      correct_decoded: 0,
      logged_advantage: null,
      calls: 3,
      failed_calls: 2,
      redundant_calls: 1,
      turns: 2,
      model_tokens: 12,
      model_characters: 15,
      observation_characters: 16,
      latency_ms: 7.5,
      wasted_ms: 2.5,
      images: 0,
      images_cut: 0,
      masked: 1,
      output: null,
      stop_reason: null,
    });
  });

  it('has a row a call', () => {
    expect(calls.count).toBe(4);
    expect(rowOf(calls, callColumns, 0)).toMatchObject({ redundant: '', covered_share: 0.6, known_share: null });
    expect(rowOf(calls, callColumns, 1)).toMatchObject({
      row: 7,
      call: 1,
      outcome: 'failed',
      redundant: 'repeat,twin',
    });
    expect(rowOf(calls, callColumns, 2)).toMatchObject({ tool: null, latency_ms: null, redundant: '' });
    expect(rowOf(calls, callColumns, 3)).toMatchObject({ sent: 0 });
  });

  const unfit: readonly (readonly [column: string, value: object, stored: unknown])[] = [
    ['step_logged', { step: 1e300 }, null],
    ['step_logged', { step: 1.5 }, null],
    ['step_logged', { step: -1 }, -1],
    ['reward', { reward: { total: Number.POSITIVE_INFINITY } }, null],
    ['reward', { reward: { total: Number.NaN } }, null],
    ['reward', { reward: { total: -0.5 } }, -0.5],
    ['id', { id: '' }, ''],
    ['id', { id: 'half \ud800 pair' }, 'half \ufffd pair'],
    ['id', { id: 'nul \u0000 inside' }, 'nul \u0000 inside'],
    ['question', { question: 'x'.repeat(1000) }, 'x'.repeat(160)],
  ];
  it.each(unfit)('%s of %o is stored as %o', (column, draft, stored) => {
    const data = columnsOf([rolloutAtRow(0, draft)]);
    expect(rowOf(data.rollouts, rolloutColumns, 0)[column]).toEqual(stored);
  });

  it('keeps long ids distinct', () => {
    const long = ['a', 'b'].map((end) => rolloutAtRow(0, { id: `${'i'.repeat(5000)}${end}` }));
    const data = columnsOf(long).rollouts;
    const ids = [0, 1].map((index) => String(rowOf(data, rolloutColumns, index)['id']));
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => id.length < 200)).toBe(true);
  });

  it('grows past its first capacity in every kind of column', () => {
    const many = Array.from({ length: 1000 }, (_, row) =>
      rolloutAtRow(row, {
        id: row % 3 === 0 ? null : `id ${row}`,
        step: row % 5 === 0 ? null : row,
        calls: row % 2 === 0 ? [okCall()] : [],
      }),
    );
    const data = columnsOf(many);
    expect([data.rollouts.count, data.calls.count]).toEqual([1000, 500]);
    many.forEach(({ id, step }, row) => {
      expect(rowOf(data.rollouts, rolloutColumns, row)).toMatchObject({ row, id, step_logged: step });
    });
    for (const column of data.rollouts.columns) {
      expect(column.kind === 'number' ? column.values.length : column.offsets.length - 1).toBe(1000);
    }
  });

  it('moves to another thread without a copy', async () => {
    const data = columnsOf([rolloutAtRow(0, { id: 'moved' })]);
    const script = `require('node:worker_threads').parentPort.once('message', (data) => {
      require('node:worker_threads').parentPort.postMessage(data, []); });`;
    const worker = new Worker(script, { eval: true });
    const back = new Promise<typeof data>((resolve) => worker.once('message', resolve));
    worker.postMessage(data, transferList(data));
    expect(data.rollouts.columns.every((c) => (c.kind === 'number' ? c.values : c.bytes).byteLength === 0)).toBe(true);
    expect(rowOf((await back).rollouts, rolloutColumns, 0)['id']).toBe('moved');
    await worker.terminate();
  });
});

describe('answerKey', () => {
  it.each([
    ['42', ' 42\n', true],
    ['The  Cat', 'the cat', true],
    ['ÉTÉ', 'été', true],
    ['42', '43', false],
    ['', null, false],
  ])('%o and %o: equal is %o', (one, other, equal) => {
    expect(answerKey(one) === answerKey(other)).toBe(equal);
  });
});
