/**
 * Snapshots of the columns of a run's rollouts, cut into messages of at most 1 MB. A page asks for many messages and
 * joins them, so all of one download come from one snapshot; its version tells whether two downloads fit together.
 * Leaves out reading the columns (store/sampleColumns.ts).
 */
import { UserError } from '../base/errors.ts';
import type { PromptKeysPage } from '../protocol/groupView.ts';
import type { SampleColumn, SampleColumns, SamplesPage } from '../protocol/samples.ts';
import { readSampleColumns, type StoredSamples } from '../store/sampleColumns.ts';
import type { RunIndex } from './runIndex.ts';

/** Bytes of columns in one message; the rest of 1 MB is for names and the message's own frame. */
const messageBytes = 980_000;
/** Bytes of all snapshots that are kept; the latest is kept whatever its size. */
const keptBytes = 64_000_000;
/** A snapshot of a run whose rows are changing serves new downloads for this long. */
const changingMs = 2_000;
/** Snapshots go after nobody asked for so long. */
const idleMs = 60_000;

interface Snapshot {
  readonly samples: StoredSamples;
  readonly version: number;
  /** RunIndex.version while it was read, null if that changed meanwhile. */
  readonly runVersion: number | null;
  readonly takenAtMs: number;
}

/** Snapshots of all runs. */
export interface SampleSnapshots {
  page(
    run: RunIndex,
    wanted: { readonly columns: readonly SampleColumn[]; readonly first: number },
    signal: AbortSignal,
  ): Promise<SamplesPage>;
  promptKeys(run: RunIndex, first: number, signal: AbortSignal): Promise<PromptKeysPage>;
}

/** Starts without a snapshot. */
export function createSampleSnapshots(): SampleSnapshots {
  /** Least recently used first. */
  const kept = new Map<RunIndex, Snapshot>();
  const reading = new Map<RunIndex, Promise<Snapshot>>();
  /** The last version of each run: rows that did not change since have it again, whenever they are read. */
  const versions = new WeakMap<RunIndex, { readonly runVersion: number; readonly version: number }>();
  let idle: NodeJS.Timeout | undefined;

  const keep = (run: RunIndex, snapshot: Snapshot): void => {
    kept.delete(run);
    kept.set(run, snapshot);
    let bytes = [...kept.values()].reduce((sum, { samples }) => sum + sizeOf(samples), 0);
    for (const [oldest, { samples }] of kept) {
      if (bytes <= keptBytes || oldest === run) break;
      kept.delete(oldest);
      bytes -= sizeOf(samples);
    }
    clearTimeout(idle);
    idle = setTimeout(() => {
      kept.clear();
    }, idleMs).unref();
  };

  const take = async (run: RunIndex): Promise<Snapshot> => {
    const before = run.version();
    // Several questions wait for it: the abort of one must not end it for the others.
    const samples = await readSampleColumns(run.table);
    const runVersion = run.version() === before ? before : null;
    const last = versions.get(run);
    const version = last && last.runVersion === runVersion ? last.version : nextVersion();
    if (runVersion !== null) versions.set(run, { runVersion, version });
    const snapshot = { samples, version, runVersion, takenAtMs: Date.now() };
    keep(run, snapshot);
    return snapshot;
  };

  const snapshotOf = async (run: RunIndex, first: number, signal: AbortSignal): Promise<Snapshot> => {
    const known = kept.get(run);
    // A download that has begun goes on: that the run changed is told by an event.
    if (known && (first > 0 || isFresh(known, run))) {
      keep(run, known);
      return known;
    }
    const taken =
      reading.get(run) ??
      take(run).finally(() => {
        reading.delete(run);
      });
    reading.set(run, taken);
    const snapshot = await taken;
    signal.throwIfAborted();
    return snapshot;
  };

  return {
    page: async (run, { columns, first }, signal) =>
      pageOf(run, await snapshotOf(run, first, signal), { columns, first }),
    promptKeys: async (run, first, signal) => {
      // Asked after the columns, so that it is their snapshot if that is still kept.
      const { samples, version } = await snapshotOf(run, Math.max(1, first), signal);
      const from = inside(first, samples.promptKeys.length);
      const keys = samples.promptKeys.slice(from, from + Math.floor(messageBytes / Float64Array.BYTES_PER_ELEMENT));
      return { run: run.id, first: from, total: samples.promptKeys.length, version, keys };
    },
  };
}

/** A first index inside a list. */
function inside(first: number, total: number): number {
  return Number.isFinite(first) ? Math.min(total, Math.max(0, Math.trunc(first))) : 0;
}

// From the clock, since an engine that was started again must not give a version that a page knows of its predecessor.
let lastVersion = Date.now();

function nextVersion(): number {
  lastVersion += 1;
  return lastVersion;
}

function isFresh({ runVersion, takenAtMs }: Snapshot, run: RunIndex): boolean {
  const now = run.version();
  return runVersion !== null && now !== null ? runVersion === now : Date.now() - takenAtMs < changingMs;
}

function sizeOf({ columns }: StoredSamples): number {
  return Object.values(columns).reduce(
    (sum: number, column: SampleColumns[SampleColumn]) => sum + column.byteLength,
    0,
  );
}

function pageOf(
  run: RunIndex,
  { samples, version }: Snapshot,
  { columns, first }: { readonly columns: readonly SampleColumn[]; readonly first: number },
): SamplesPage {
  const wanted = [...new Set(columns)];
  const bytesOfRow = wanted.reduce((sum, name) => {
    if (!Object.hasOwn(samples.columns, name)) throw new UserError(`There is no column ${name}.`);
    return sum + samples.columns[name].BYTES_PER_ELEMENT;
  }, 0);
  const from = inside(first, samples.count);
  const end = bytesOfRow === 0 ? from : from + Math.floor(messageBytes / bytesOfRow);
  return {
    run: run.id,
    first: from,
    total: samples.count,
    version,
    lengthIsEstimate: samples.lengthIsEstimate,
    // Copies: a view would send the whole column with it.
    columns: Object.fromEntries(wanted.map((name) => [name, samples.columns[name].slice(from, end)])),
  };
}
