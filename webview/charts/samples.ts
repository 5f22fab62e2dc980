/**
 * The samples of the shown runs in the page: columns that the charts in view need, loaded chunk by chunk, dropped when
 * the run changed. What was loaded stays to be seen until its successor is whole, so that charts do not flicker.
 * Leaves out what is computed of the columns (the charts') and single rollouts' texts (`rowsOf`).
 */
import type { RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import type { SampleColumn, SampleColumns, SamplesApi, SamplesPage } from '../../src/protocol/samples.ts';

/** Columns of all rollouts of a run, of one version; only whole columns are in it. */
export interface RunSamples {
  readonly run: RunId;
  /** Another number = other rows: what was computed of the former ones is void. */
  readonly version: number;
  /** Rollouts: the length of every column. */
  readonly count: number;
  readonly lengthIsEstimate: boolean;
  readonly columns: Partial<SampleColumns>;
}

/** The samples in the page. */
export interface SampleStore {
  /** What of a run is loaded; null before the first columns are whole. Same object until something changed. */
  of(run: RunId): RunSamples | null;
  /** Share of the wanted columns of a run that is loaded, 0 to 1; null when nothing is being loaded. */
  progress(run: RunId): number | null;
  /** Names what is needed from now on: these columns of these runs. Runs not named are dropped. */
  want(wanted: ReadonlyMap<RunId, ReadonlySet<SampleColumn>>): void;
  /** The run changed: its columns are loaded anew, a running training's at most every few seconds. */
  changed(run: RunId): void;
  /** Calls back when samples or progress of a run changed. */
  onChange(listener: (run: RunId) => void): void;
  /** Calls back when loading failed; the next `want` or `changed` tries again. */
  onError(listener: (error: unknown) => void): void;
}

/** Whether all these columns are loaded; narrows, so that they can be read without asking again. */
export function hasColumns<Name extends SampleColumn>(
  columns: Partial<SampleColumns>,
  names: readonly Name[],
): columns is Partial<SampleColumns> & Pick<SampleColumns, Name> {
  return names.every((name) => columns[name] !== undefined);
}

/** A live run is loaded again no sooner than this, and than this many times what the last load took. */
const quietMs = 2_000;
const restShare = 4;

interface Entry {
  readonly run: RunId;
  wanted: ReadonlySet<SampleColumn>;
  shown: RunSamples | null;
  /** The run changed since: all of it is loaded anew. */
  stale: boolean;
  progress: number | null;
  loading: AbortController | null;
  lastEndMs: number;
  lastTookMs: number;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Makes an empty store over the host's samples. */
export function makeSampleStore(api: Pick<Client<SamplesApi>, 'samples'>): SampleStore {
  const entries = new Map<RunId, Entry>();
  const changeListeners: ((run: RunId) => void)[] = [];
  const errorListeners: ((error: unknown) => void)[] = [];

  const tell = (run: RunId): void => {
    for (const listener of changeListeners) listener(run);
  };
  const missing = ({ shown, stale, wanted }: Entry): SampleColumn[] =>
    [...wanted].filter((column) => stale || shown?.columns[column] === undefined);

  const load = async (entry: Entry): Promise<void> => {
    if (entry.loading || entry.timer) return;
    const names = missing(entry);
    if (names.length === 0) return;
    const controller = new AbortController();
    const started = performance.now();
    entry.loading = controller;
    entry.progress = 0;
    entry.stale = false;
    tell(entry.run);
    let again = true;
    try {
      const loaded = await loadColumns(api, entry.run, {
        names,
        signal: controller.signal,
        onProgress: (share) => {
          entry.progress = share;
          tell(entry.run);
        },
      });
      const kept = entry.shown?.version === loaded.version ? entry.shown.columns : {};
      entry.shown = { ...loaded, columns: { ...kept, ...loaded.columns } };
    } catch (error) {
      if (controller.signal.aborted) return;
      again = false;
      for (const listener of errorListeners) listener(error);
    } finally {
      entry.loading = null;
      entry.progress = null;
      entry.lastEndMs = performance.now();
      entry.lastTookMs = entry.lastEndMs - started;
    }
    tell(entry.run);
    // Columns that were wanted meanwhile, or those of the version before.
    if (again) start(entry);
  };

  const start = (entry: Entry): void => {
    if (entry.loading || entry.timer || missing(entry).length === 0) return;
    const rest = entry.stale ? Math.max(quietMs, restShare * entry.lastTookMs) : 0;
    const waitMs = entry.lastEndMs + rest - performance.now();
    if (entry.shown === null || waitMs <= 0) void load(entry);
    else {
      entry.timer = setTimeout(() => {
        entry.timer = null;
        void load(entry);
      }, waitMs);
    }
  };

  const drop = (entry: Entry): void => {
    entry.loading?.abort();
    if (entry.timer) clearTimeout(entry.timer);
    entries.delete(entry.run);
  };

  return {
    of: (run) => entries.get(run)?.shown ?? null,
    progress: (run) => entries.get(run)?.progress ?? null,
    want: (wanted) => {
      for (const entry of [...entries.values()]) if (!wanted.has(entry.run)) drop(entry);
      for (const [run, columns] of wanted) {
        const entry = entries.get(run) ?? newEntry(run);
        entry.wanted = columns;
        entries.set(run, entry);
        start(entry);
      }
    },
    changed: (run) => {
      const entry = entries.get(run);
      if (!entry) return;
      entry.stale = true;
      start(entry);
    },
    onChange: (listener) => {
      changeListeners.push(listener);
    },
    onError: (listener) => {
      errorListeners.push(listener);
    },
  };
}

function newEntry(run: RunId): Entry {
  return {
    run,
    wanted: new Set(),
    shown: null,
    stale: false,
    progress: null,
    loading: null,
    lastEndMs: 0,
    lastTookMs: 0,
    timer: null,
  };
}

interface LoadOptions {
  readonly names: readonly SampleColumn[];
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/** All rows of some columns; begins anew when the run changes in between, since versions do not fit together. */
async function loadColumns(
  api: Pick<Client<SamplesApi>, 'samples'>,
  run: RunId,
  { names, signal, onProgress }: LoadOptions,
): Promise<RunSamples> {
  let columns: Partial<SampleColumns> = {};
  let begun: SamplesPage | null = null;
  let first = 0;
  for (;;) {
    const page: SamplesPage = await api.samples({ run, columns: names, first }, signal);
    signal.throwIfAborted();
    if (begun === null || page.version !== begun.version || page.total !== begun.total) {
      begun = page;
      columns = {};
      if (first !== 0) {
        first = 0;
        continue;
      }
    }
    const rows = append(columns, page, names);
    first += rows;
    if (first >= page.total || rows === 0) break;
    onProgress(first / page.total);
  }
  return { run, version: begun.version, count: begun.total, lengthIsEstimate: begun.lengthIsEstimate, columns };
}

/** Copies a page into columns of the whole length, made with the first page; answers its number of rows. */
function append(columns: Partial<SampleColumns>, page: SamplesPage, names: readonly SampleColumn[]): number {
  const into: Partial<Record<SampleColumn, SampleColumns[SampleColumn]>> = columns;
  let rows = 0;
  for (const name of names) {
    const part = page.columns[name];
    if (!part) continue;
    rows = part.length;
    const whole = into[name] ?? emptyLike(part, page.total);
    whole.set(part, page.first);
    into[name] = whole;
  }
  return rows;
}

function emptyLike(part: SampleColumns[SampleColumn], length: number): SampleColumns[SampleColumn] {
  if (part instanceof Float64Array) return new Float64Array(length);
  if (part instanceof Float32Array) return new Float32Array(length);
  if (part instanceof Int32Array) return new Int32Array(length);
  if (part instanceof Uint32Array) return new Uint32Array(length);
  return part instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}
