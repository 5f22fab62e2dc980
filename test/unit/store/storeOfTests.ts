/** Parts for the tests of the store: rollouts with what a test names and defaults for the rest, and real databases. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { buildCall, buildRollout, type RolloutDraft } from '../../../src/model/builder.ts';
import type { Rollout } from '../../../src/model/rollout.ts';
import {
  appendRollout,
  createRolloutColumns,
  finishColumns,
  type RolloutColumns,
} from '../../../src/store/columnArrays.ts';
import { openDatabase, type Database } from '../../../src/store/duckdb.ts';
import type { AdvantageColumns, DerivedColumns } from '../../../src/store/runTable.ts';
import { shardKey, type ShardKey } from '../../../src/store/shardKey.ts';
import type { ShardMeta } from '../../../src/store/shardStore.ts';

const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** A folder that is gone after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'store-test-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A database that is closed after the tests of the file. */
export async function databaseOfTests(): Promise<Database> {
  const database = await openDatabase({ temporaryFolder: await temporaryFolder() });
  closing.push(() => database.close());
  return database;
}

/** A rollout at a row of its file, with what is named. */
export function rolloutAtRow(row: number, draft: Partial<RolloutDraft> = {}): Rollout {
  return buildRollout({
    place: { row, line: row, bytes: { first: row * 100, count: 99 } },
    producer: 'test',
    group: { key: 'g0', source: 'inferred' },
    ...draft,
  });
}

/** A sent call that came back. */
export function okCall() {
  return buildCall({ turn: 1, tool: 'search', raw: '{"q":1}', outcome: 'ok', observation: 'result' });
}

/** Rollouts as columns, no call flagged. */
export function columnsOf(rollouts: readonly Rollout[]): RolloutColumns {
  const builder = createRolloutColumns();
  for (const rollout of rollouts) appendRollout(builder, rollout, []);
  return finishColumns(builder);
}

/** 48 hex digits out of any text, in place of a file's hash. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 48);
}

const reader = { reader: 'test', readerVersion: 1, variant: 'plain', rulesVersion: 1 };

/** A key that no file has. */
export function keyOf(text: string): ShardKey {
  return shardKey({ ...reader, sizeBytes: 1000, headTailHash: hashOf(text) });
}

/** Sums of a reading of `read` records in bytes [first, first + count). */
export function metaOf(read: number, range = { first: 0, count: 1000 }): ShardMeta {
  const end = range.first + range.count;
  return {
    ...reader,
    range,
    previous: null,
    lines: read,
    read,
    skipped: 0,
    noted: 0,
    rollouts: read,
    notes: [],
    next: { row: read, line: read, bytes: { first: end, count: 0 } },
    beside: [],
  };
}

/** Derived columns in which every rollout i has `number(i)` in all columns of numbers. */
export function derivedOf({ count }: AdvantageColumns, number: (index: number) => number): DerivedColumns {
  const column = Float64Array.from({ length: count }, (_, index) => number(index));
  return {
    correct: new Uint8Array(count).fill(1),
    accReward: column,
    toolReward: column,
    accAdvantage: column,
    toolAdvantage: column,
    qualifies: new Uint8Array(count).fill(1),
    groupSize: new Uint32Array(count).fill(1),
    groupQualifying: new Uint32Array(count).fill(1),
    siblingCalls: new Uint32Array(count),
  };
}
