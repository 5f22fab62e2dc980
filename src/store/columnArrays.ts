/**
 * Columns as typed arrays: what a read worker makes out of rollouts and hands over without a copy, and what the index
 * writes. Numbers are one typed array, texts one byte array with offsets. Runs in worker threads too. Leaves out SQL
 * (duckdb.ts), which columns there are (columns.ts) and what is in them (rolloutValues.ts).
 */
import type { Rollout } from '../model/rollout.ts';
import { callColumns, rolloutColumns, type Column } from './columns.ts';
import { callValues, countsOf, rolloutValues, type CallFlags } from './rolloutValues.ts';

/** A column of numbers or booleans (0, 1); `valid[i]` is 0 where the value is null, `valid` null where none is. */
export interface NumberColumnData {
  readonly kind: 'number';
  /** Int32Array for INTEGER, Float64Array for DOUBLE and UBIGINT, Uint8Array for BOOLEAN. */
  readonly values: Int32Array | Uint32Array | Float64Array | Uint8Array;
  readonly valid: Uint8Array | null;
}

/** A column of texts: UTF-8 of all values in one array; value i is `bytes[offsets[i] … offsets[i + 1])`. */
export interface TextColumnData {
  readonly kind: 'text';
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  readonly valid: Uint8Array | null;
}

/** One column of `count` values. */
export type ColumnData = NumberColumnData | TextColumnData;

/** A table as columns, in the order of a list of columns.ts. */
export interface TableColumns {
  readonly count: number;
  readonly columns: readonly ColumnData[];
}

/** The rollouts of a file (or a part of it) and their calls, as columns. */
export interface RolloutColumns {
  /** One entry a column of `rolloutColumns`. */
  readonly rollouts: TableColumns;
  /** One entry a column of `callColumns`. */
  readonly calls: TableColumns;
}

/** A value before it is in a column. */
export type ColumnValue = number | string | boolean | null;

/** Columns that are growing; made by createRolloutColumns. */
export interface RolloutColumnsBuilder {
  readonly rollouts: GrowingTable;
  readonly calls: GrowingTable;
}

/** A table that is growing, a value a column a row. */
export interface GrowingTable {
  readonly count: number;
  append(value: (column: string) => ColumnValue): void;
  finish(): TableColumns;
}

/** Starts empty columns. */
export function createRolloutColumns(): RolloutColumnsBuilder {
  return { rollouts: growingTable(rolloutColumns), calls: growingTable(callColumns) };
}

const unflagged: CallFlags = { rules: [], measured: {} };

/** Appends one rollout; `flags[i]` is what the rules say of call i, nothing if it is short. */
export function appendRollout(builder: RolloutColumnsBuilder, rollout: Rollout, flags: readonly CallFlags[]): void {
  const counts = countsOf(rollout, flags);
  builder.rollouts.append((column) => rolloutValues[column]?.(rollout, counts) ?? null);
  rollout.calls.forEach((call, index) => {
    const flagged = { call, index, flags: flags[index] ?? unflagged, row: rollout.place.row };
    builder.calls.append((column) => callValues[column]?.(flagged) ?? null);
  });
}

/** Closes the columns: arrays of exact length. The builder must not be used afterwards. */
export function finishColumns(builder: RolloutColumnsBuilder): RolloutColumns {
  return { rollouts: builder.rollouts.finish(), calls: builder.calls.finish() };
}

/** The buffers of the columns, for `postMessage(columns, transferList(columns))`. */
export function transferList(columns: RolloutColumns): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const add = (array: NumberColumnData['values'] | null): void => {
    if (array !== null && array.buffer instanceof ArrayBuffer) buffers.add(array.buffer);
  };
  for (const column of [...columns.rollouts.columns, ...columns.calls.columns]) {
    add(column.valid);
    if (column.kind === 'number') {
      add(column.values);
    } else {
      add(column.offsets);
      add(column.bytes);
    }
  }
  return [...buffers];
}

interface GrowingColumn {
  append(value: ColumnValue): void;
  finish(): ColumnData;
}

function growingTable(columns: readonly Column[]): GrowingTable {
  const growing = columns.map((column) => ({
    name: column.name,
    column: column.type === 'VARCHAR' ? growingText() : growingNumbers(column),
  }));
  let count = 0;
  return {
    get count() {
      return count;
    },
    append: (value) => {
      for (const { name, column } of growing) column.append(value(name));
      count += 1;
    },
    finish: () => ({ count, columns: growing.map(({ column }) => column.finish()) }),
  };
}

const firstCapacity = 64;

/** Which values are null, kept only from the first null on. */
function growingValidity() {
  let valid: Uint8Array | null = null;
  return {
    append: (index: number, isNull: boolean): void => {
      if (valid === null) {
        if (!isNull) return;
        valid = new Uint8Array(Math.max(firstCapacity, index * 2)).fill(1);
      }
      if (index >= valid.length) {
        const larger: Uint8Array = new Uint8Array(index * 2).fill(1);
        larger.set(valid);
        valid = larger;
      }
      if (isNull) valid[index] = 0;
    },
    finish: (count: number): Uint8Array | null => valid?.slice(0, count) ?? null,
  };
}

function growingNumbers(column: Column): GrowingColumn {
  const array = {
    INTEGER: Int32Array,
    BOOLEAN: Uint8Array,
    DOUBLE: Float64Array,
    UBIGINT: Float64Array,
    VARCHAR: Uint8Array,
  };
  const make = array[column.type];
  let values = new make(firstCapacity);
  const validity = growingValidity();
  let count = 0;
  return {
    append: (value) => {
      const number = storable(column, value);
      if (count === values.length) {
        const larger = new make(count * 2);
        larger.set(values);
        values = larger;
      }
      validity.append(count, number === null);
      values[count] = number ?? 0;
      count += 1;
    },
    finish: () => ({ kind: 'number', values: values.slice(0, count), valid: validity.finish(count) }),
  };
}

/** The value as the column's type can hold it; null for what it cannot (a logged step of 1e300, an infinite reward). */
function storable(column: Column, value: ColumnValue): number | null {
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return null;
  switch (column.type) {
    case 'INTEGER':
      return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : null;
    case 'UBIGINT':
      return Number.isSafeInteger(number) && number >= 0 ? number : null;
    case 'BOOLEAN':
      return number === 0 ? 0 : 1;
    case 'DOUBLE':
    case 'VARCHAR':
      return number;
  }
}

function growingText(): GrowingColumn {
  const encoder = new TextEncoder();
  let offsets = new Uint32Array(firstCapacity);
  let bytes = new Uint8Array(firstCapacity * 16);
  const validity = growingValidity();
  let count = 0;
  let end = 0;
  return {
    append: (value) => {
      const text = typeof value === 'string' ? value : '';
      // A UTF-16 unit takes at most three bytes of UTF-8.
      if (end + text.length * 3 > bytes.length) {
        const larger = new Uint8Array(Math.max(bytes.length * 2, end + text.length * 3));
        larger.set(bytes);
        bytes = larger;
      }
      if (count + 1 === offsets.length) {
        const larger = new Uint32Array(offsets.length * 2);
        larger.set(offsets);
        offsets = larger;
      }
      end += encoder.encodeInto(text, bytes.subarray(end)).written;
      validity.append(count, typeof value !== 'string');
      count += 1;
      offsets[count] = end;
    },
    finish: () => ({
      kind: 'text',
      offsets: offsets.slice(0, count + 1),
      bytes: bytes.slice(0, end),
      valid: validity.finish(count),
    }),
  };
}
