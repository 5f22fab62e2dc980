/** Branches as the host keeps and shows them: stored a rollout apart, read back checked, two texts with one beginning. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { KeptBranch } from '../../../../src/protocol/player.ts';
import type { BranchSample, DecisionPoint } from '../../../../src/protocol/replay.ts';
import { branchUri, parseBranchUri, type BranchAddress } from '../../../../src/views/replay/branchAddress.ts';
import { openBranchStore } from '../../../../src/views/replay/branchStore.ts';
import { branchesForPage, branchTexts } from '../../../../src/views/replay/branchTexts.ts';
import { openEstimateStore } from '../../../../src/views/replay/estimateStore.ts';
import { episodeOfTests } from '../../host/replayOfTests.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const share = { right: 1, judged: 1, samples: 1, share: 1, low: 0.2, high: 1 };
const sample: BranchSample = {
  arm: 'intervention',
  sample: 0,
  text: 'It is 336, I know.',
  answer: '336',
  correct: true,
  ended: 'answered',
  logprob: -3,
};
const branch = (id: string): KeptBranch => ({
  name: `no call ${id}`,
  model: 'm',
  result: {
    id,
    request: {
      id,
      turn: 1,
      intervention: { kind: 'no call' },
      samples: 1,
      seed: 1,
      temperature: 1,
      topP: 1,
      maximumTokens: 8,
    },
    label: '',
    samples: [sample],
    intervention: share,
    control: share,
    difference: null,
    calibration: { agree: 1, of: 1 },
    warnings: [],
    provenanceId: 'p',
  },
});
const of = (row: number) => ({ ref: { run: 'run', file: '1.jsonl', row }, path: '/logs' });

describe('kept branches', () => {
  it('are a rollout’s own, in the order they were made, also when several come at once', async () => {
    const store = openBranchStore(folder);
    await Promise.all(['a', 'b', 'c'].map((id) => store.add(of(0), branch(id))));
    await store.add(of(1), branch('d'));
    const ids = async (row: number) => (await openBranchStore(folder).all(of(row))).map(({ result }) => result.id);
    expect(await ids(0)).toEqual(['a', 'b', 'c']);
    expect(await ids(1)).toEqual(['d']);
    await store.rename(of(0), 'b', 'named');
    await store.remove(of(0), 'a');
    expect((await store.all(of(0))).map(({ name }) => name)).toEqual(['named', 'no call c']);
    expect((await readdir(folder)).every((name) => /^[0-9a-f]{32}\.json$/.test(name))).toBe(true);
  });
  it('that are damaged, or of another version, are none', async () => {
    const store = openBranchStore(folder);
    const [name = ''] = await readdir(folder);
    for (const text of ['{', '{"version":9,"branches":[]}', '{"version":1,"branches":[{"name":1},null]}']) {
      await writeFile(path.join(folder, name), text);
      expect([...(await store.all(of(0))), ...(await store.all(of(1)))].length).toBeLessThanOrEqual(2);
    }
  });
});

describe('a branch beside the record', () => {
  it('begins alike and differs from its turn on', () => {
    const { recorded, branched } = branchTexts(episodeOfTests('one'), branch('a').result, sample);
    const start = recorded.indexOf('── turn 2 · policy 1 ──');
    expect(start).toBeGreaterThan(0);
    expect(branched.slice(0, start)).toBe(recorded.slice(0, start));
    expect(recorded).toContain('print(48 * 7)');
    expect(branched).not.toContain('print(48 * 7)');
    expect(branched).toMatch(/It is 336, I know\.\n\n── ✓ 336 ──\n$/);
    // Both sides say how they end.
    expect(recorded).toMatch(/\n── ✓ 336 ──\n$/);
  });
});

describe('the address of a branch', () => {
  const kept = of(3);
  test.each<BranchAddress>([
    { kept, id: 'a', sample: null },
    { kept, id: 'b', sample: { arm: 'control', sample: 0 } },
    { kept, id: 'c', sample: { arm: 'intervention', sample: 31 } },
  ])('%o names it for ever', (address) => {
    const uri = branchUri('no call, turn 3 #1 / 漢字?', address);
    expect(uri.path).toMatch(/^\/[^/?]+\.txt$/);
    expect(parseBranchUri(uri)).toEqual(address);
  });
  test.each(['', '{', '[]', '{"run":"r"}', '{"run":"r","file":"f","row":-1,"path":"/p","id":"i"}'])(
    '%j is none',
    (query) => {
      expect(parseBranchUri({ scheme: 'rollout-branch', query })).toBeNull();
      expect(parseBranchUri({ scheme: 'file', query })).toBeNull();
    },
  );
});

describe('kept estimates', () => {
  const point = (turn: number, change: Partial<DecisionPoint> = {}): DecisionPoint => ({
    turn,
    estimator: 'Monte Carlo',
    callProbability: 0.5,
    low: 0.3,
    high: 0.7,
    n: 32,
    temperature: 1,
    given: '',
    called: true,
    provenanceId: 'p',
    ...change,
  });
  it('are of a rollout and a provenance, the latest of each turn', async () => {
    const own = path.join(folder, 'estimates');
    const store = openEstimateStore(own);
    await Promise.all([store.add(of(0), point(1)), store.add(of(0), point(3)), store.add(of(1), point(1))]);
    await store.add(of(0), point(1, { callProbability: 0.9 }));
    await store.add(of(0), point(1, { provenanceId: 'q' }));
    const again = openEstimateStore(own);
    expect(await again.of(of(0), 'p')).toEqual([point(3), point(1, { callProbability: 0.9 })]);
    expect(await again.of(of(0), 'q')).toHaveLength(1);
    expect(await again.of(of(2), 'p')).toEqual([]);
  });
  it('that are damaged are left out', async () => {
    const own = path.join(folder, 'damaged');
    const store = openEstimateStore(own);
    await store.add(of(0), point(1));
    const [name = ''] = await readdir(own);
    const estimates = [null, { ...point(1), callProbability: 7 }, { ...point(1), low: 'x' }, point(5)];
    await writeFile(path.join(own, name), JSON.stringify({ version: 1, estimates }));
    expect(await store.of(of(0), 'p')).toEqual([point(5)]);
  });
});

describe('branches for the page', () => {
  it('fit into one message, the newest whole', () => {
    const long = (id: string): KeptBranch => {
      const samples = Array.from({ length: 64 }, (_, index) => ({
        ...sample,
        sample: index,
        text: '漢'.repeat(3_000),
      }));
      return { ...branch(id), result: { ...branch(id).result, samples } };
    };
    const all = branchesForPage([branch('old'), long('middle'), long('new')]);
    expect(Buffer.byteLength(JSON.stringify(all))).toBeLessThan(1_000_000);
    expect(all.map(({ result }) => result.id)).toEqual(['old', 'middle', 'new']);
    expect(all[2]?.result.samples.every(({ text }) => text.length === 3_000)).toBe(true);
    expect(all[0]?.result.samples[0]?.text).toBe('…');
    expect(branchesForPage([branch('one')])).toEqual([branch('one')]);
  });
});
