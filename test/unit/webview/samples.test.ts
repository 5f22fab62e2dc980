/** The samples in the page: whole columns of one version only, whatever comes in between. */
import { describe, expect, it } from 'vitest';
import type { SampleColumn, SamplesPage } from '../../../src/protocol/samples.ts';
import { hasColumns, makeSampleStore, type SampleStore } from '../../../webview/charts/samples.ts';
import { sampleColumns } from './sampleRun.ts';

const size = { steps: 3, groups: 2, members: 4 };
const whole = sampleColumns(size);
const total = whole.key.length;

interface HostState {
  version: number;
  readonly asked: string[];
  failAt: number | null;
  /** The run changes when rows from here on are asked for. */
  changeAt: number | null;
}

const newState = (): HostState => ({ version: 1, asked: [], failAt: null, changeAt: null });

/** A host that answers in parts of seven rows. */
function hostOf(state: HostState) {
  return {
    samples: ({ run, columns, first }: { run: string; columns: readonly SampleColumn[]; first: number }) => {
      state.asked.push(`${run} ${[...columns].sort().join('+')} ${first}`);
      if (state.changeAt === first) {
        state.version += 1;
        state.changeAt = null;
      }
      if (state.failAt === first) return Promise.reject(new Error('no engine'));
      const end = Math.min(total, first + 7);
      const part: Partial<Record<SampleColumn, unknown>> = {};
      for (const name of columns) part[name] = whole[name].slice(first, end);
      const page = { run, first, total, version: state.version, lengthIsEstimate: true, columns: part };
      return Promise.resolve(page as SamplesPage);
    },
  };
}

async function settled(store: SampleStore, run: string, names: readonly SampleColumn[]): Promise<void> {
  await expect
    .poll(() => {
      const samples = store.of(run);
      return samples !== null && hasColumns(samples.columns, names) && store.progress(run) === null;
    })
    .toBe(true);
}

const want = (store: SampleStore, run: string, ...names: SampleColumn[]): void => {
  store.want(new Map([[run, new Set(names)]]));
};

describe('the samples', () => {
  it('are loaded part by part, with progress, and are those of the host', async () => {
    const state = newState();
    const store = makeSampleStore(hostOf(state));
    const progress: (number | null)[] = [];
    store.onChange((run) => progress.push(store.progress(run)));
    want(store, 'a', 'key', 'step', 'accAdvantage', 'correct', 'calls', 'group');
    expect(store.of('a')).toBeNull();
    await settled(store, 'a', ['key']);
    for (const name of ['key', 'step', 'accAdvantage', 'correct', 'calls', 'group'] as const) {
      expect(store.of('a')?.columns[name]).toEqual(whole[name]);
    }
    expect(store.of('a')).toMatchObject({ count: total, version: 1, lengthIsEstimate: true });
    expect(state.asked.map((text) => text.split(' ')[2])).toEqual(['0', '7', '14', '21']);
    expect(progress).toEqual([0, 7 / 24, 14 / 24, 21 / 24, null]);
  });

  it('are asked only for columns that are not there', async () => {
    const state = newState();
    const store = makeSampleStore(hostOf(state));
    want(store, 'a', 'key');
    await settled(store, 'a', ['key']);
    state.asked.length = 0;
    want(store, 'a', 'key', 'length');
    await settled(store, 'a', ['key', 'length']);
    expect(new Set(state.asked.map((text) => text.split(' ')[1]))).toEqual(new Set(['length']));
  });

  it('never mix versions: a change in between begins anew, one between columns loads all again', async () => {
    const state = newState();
    const store = makeSampleStore(hostOf(state));
    state.changeAt = 14;
    want(store, 'a', 'key');
    await settled(store, 'a', ['key']);
    expect(store.of('a')?.version).toBe(2);
    expect(state.asked.filter((text) => text.endsWith(' 0')).length).toBe(2);
    state.version = 3;
    want(store, 'a', 'key', 'step');
    await settled(store, 'a', ['key', 'step']);
    expect(store.of('a')?.version).toBe(3);
    expect(store.of('a')?.columns.key).toEqual(whole.key);
  });

  it('stay to be seen while the run is read anew', async () => {
    const state = newState();
    const store = makeSampleStore(hostOf(state));
    want(store, 'a', 'key');
    await settled(store, 'a', ['key']);
    state.version = 2;
    store.changed('a');
    expect(store.of('a')?.version).toBe(1);
    await expect.poll(() => store.of('a')?.version, { timeout: 10_000 }).toBe(2);
  });

  it('of a run that is not wanted any more are dropped', async () => {
    const state = newState();
    const store = makeSampleStore(hostOf(state));
    want(store, 'a', 'key');
    await settled(store, 'a', ['key']);
    want(store, 'b', 'key');
    expect(store.of('a')).toBeNull();
    await settled(store, 'b', ['key']);
  });

  it('that cannot be loaded say so once, and are tried again when wanted', async () => {
    const state = newState();
    state.failAt = 7;
    const store = makeSampleStore(hostOf(state));
    const errors: unknown[] = [];
    store.onError((error) => errors.push(error));
    want(store, 'a', 'key');
    await expect.poll(() => errors.length).toBe(1);
    expect(store.of('a')).toBeNull();
    expect(store.progress('a')).toBeNull();
    state.failAt = null;
    want(store, 'a', 'key');
    await settled(store, 'a', ['key']);
    expect(errors).toHaveLength(1);
  });
});
