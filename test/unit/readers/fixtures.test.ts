// The one check for all readers: every folder under test/fixtures is read, renamed, cut, grown, damaged and read again.
// UPDATE_FIXTURES=1 rewrites the goldens; look at the difference before it is committed.
import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../../src/model/rollout.ts';
import { readers, recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import { claimOf, expectedOf, type Fixture, fixtures, goldenOf } from './fixtureFolders.ts';
import { mutateBytes, mutateStructure, randomFrom } from './mutate.ts';
import { bytesOf, type Claim, readAll, type Reading } from './readAll.ts';
import { brokenRule } from './shape.ts';

const all = fixtures();
const mutations = 50_000;
/** Formats whose file is one episode that grows line by line. */
const wholeFile = new Set(['agent-session']);

async function claimed(fixture: Fixture): Promise<Claim> {
  const claim = await claimOf(fixture.name, fixture.bytes);
  if (claim === null) throw new Error(`${fixture.id} is claimed by no reader`);
  return claim;
}

/** A rollout without where it stood, for the same log in other bytes. */
const withoutPlace = (rollout: Rollout): unknown => ({ ...rollout, place: null });

describe.each(all)('$id', (fixture) => {
  test('gives its golden', async () => {
    const claim = await claimed(fixture);
    const golden = goldenOf(claim, await readAll(claim, fixture.bytes, { name: fixture.name }));
    expect(JSON.parse(JSON.stringify(golden))).toEqual(expectedOf(fixture, golden));
  });

  test('is claimed by exactly one reader, whatever it is called', async () => {
    const names = [fixture.name, 'renamed', 'renamed.txt', 'results.parquet'];
    const claim = await claimed(fixture);
    const reading = await readAll(claim, fixture.bytes, { name: fixture.name });
    for (const name of names) {
      const head = await readHead(bytesSource(name, fixture.bytes));
      const claimants = readers.filter((reader) => reader.recognise(head) !== null).map((reader) => reader.format);
      // The catch-all is asked last and claims much of what others know better.
      const known = claimants.filter((format) => format !== 'generic');
      expect(known.length > 0 ? known : claimants).toEqual([claim.reader.format]);
      expect(recognise(head)).toMatchObject({ kind: 'read', recognition: claim.recognition });
      expect((await readAll(claim, fixture.bytes, { name })).rollouts).toEqual(reading.rollouts);
    }
  });

  test('every rollout keeps the rules, is plain data and can be read again by its place', async () => {
    const claim = await claimed(fixture);
    const { rollouts } = await readAll(claim, fixture.bytes);
    const source = bytesSource(fixture.name, fixture.bytes);
    expect(rollouts.length).toBeGreaterThan(0);
    for (const rollout of rollouts) {
      expect(brokenRule(rollout)).toBeNull();
      expect(structuredClone(rollout)).toEqual(rollout);
      expect(await claim.reader.readOne(source, rollout.place, claim.recognition)).toEqual(rollout);
      const elsewhere = { ...rollout.place, bytes: { first: fixture.bytes.length - 3, count: 50 } };
      expect(await claim.reader.readOne(source, elsewhere, claim.recognition)).toBeNull();
    }
  });

  test('carriage returns, a byte order mark and blanks change nothing', async () => {
    if (fixture.kind === 'archive') return;
    const claim = await claimed(fixture);
    const text = fixture.bytes.toString('utf8');
    const expected = (await readAll(claim, fixture.bytes)).rollouts.map(withoutPlace);
    for (const variant of [text.replaceAll('\n', '\r\n'), `\ufeff${text}`, `\n \n${text}`, `${text}\n\n`]) {
      const found = await claimOf(fixture.name, bytesOf(variant));
      expect(found).toEqual(claim);
      const { rollouts } = await readAll(claim, bytesOf(variant));
      // An unfinished last record stays one: more text behind it only changes what its note says.
      expect(rollouts.map(withoutPlace)).toEqual(expected);
    }
  });

  test.each([
    { called: 'NaN', value: 'NaN', code: 'non-finite-number' },
    { called: '-Infinity', value: '-Infinity', code: 'non-finite-number' },
    { called: 'a text with line separators', value: '"a\u2028b\u2029c"', code: null },
    { called: 'a lone surrogate', value: '"\\ud83d"', code: null },
    { called: '20 MB', value: `"${'x'.repeat(20_000_000)}"`, code: null },
  ])('one more key that is $called changes nothing', async ({ value, code }) => {
    if (fixture.kind === 'text' || fixture.kind === 'archive') return;
    const claim = await claimed(fixture);
    const reading = await readAll(claim, fixture.bytes);
    const variant = withExtraKey(fixture, reading, `"zz_extra":${value}`);
    const got = await readAll(claim, variant);
    expect(got.rollouts.map((rollout) => [rollout.id, rollout.answer, rollout.reward.total, rollout.calls])).toEqual(
      reading.rollouts.map((rollout) => [rollout.id, rollout.answer, rollout.reward.total, rollout.calls]),
    );
    if (code) expect(got.notes.map((note) => note.code)).toContain(code);
    for (const rollout of got.rollouts) expect(brokenRule(rollout)).toBeNull();
  });

  test(
    'cut at any byte it gives a beginning of its rollouts, and reading on gives the rest',
    { timeout: 120_000 },
    async () => {
      const claim = await claimed(fixture);
      const whole = await readAll(claim, fixture.bytes);
      if (wholeFile.has(claim.reader.format)) {
        await checkSessionCuts(claim, fixture, whole);
        return;
      }
      const texts = whole.rollouts.map((rollout) => JSON.stringify(rollout));
      const step = Math.max(1, Math.floor(fixture.bytes.length / 4000));
      for (let cut = 0; cut < fixture.bytes.length; cut += step) {
        const bytes = fixture.bytes.subarray(0, cut);
        await claimOf(fixture.name, bytes);
        const before = await readAll(claim, bytes);
        const count = before.rollouts.length;
        const isBeginning = before.rollouts.every((rollout, index) => JSON.stringify(rollout) === texts[index]);
        if (!isBeginning) expect(before.rollouts).toEqual(whole.rollouts.slice(0, count));
        if (cut % (step * 7) !== 0) continue;
        const after = await readAll(claim, fixture.bytes, { from: before.summary.next });
        const both = [...before.rollouts, ...after.rollouts].map((rollout) => JSON.stringify(rollout));
        if (both.join() !== texts.join()) expect(both).toEqual(texts);
        expect(after.summary.next).toEqual(whole.summary.next);
      }
    },
  );
});

/** A file that is one growing episode: cut, it is a shorter one whose turns are a beginning, but for the last. */
async function checkSessionCuts(claim: Claim, fixture: Fixture, whole: Reading): Promise<void> {
  const turns = whole.rollouts[0]?.turns ?? [];
  for (let cut = 0; cut < fixture.bytes.length; cut += 1) {
    const { rollouts } = await readAll(claim, fixture.bytes.subarray(0, cut));
    expect(rollouts.length).toBeLessThanOrEqual(1);
    for (const rollout of rollouts) {
      expect(brokenRule(rollout)).toBeNull();
      const count = Math.max(0, rollout.turns.length - 1);
      expect(rollout.turns.slice(0, count).map((turn) => turn.role)).toEqual(
        turns.slice(0, count).map((turn) => turn.role),
      );
    }
  }
}

/** The log with one more key at the front of each record that was read. */
function withExtraKey(fixture: Fixture, reading: Reading, member: string): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  // 20 MB once is enough.
  const firsts = [...new Set(reading.rollouts.map((rollout) => rollout.place.bytes.first))];
  for (const first of firsts.slice(0, member.length > 1000 ? 1 : undefined)) {
    // A document that is an array of events takes the key into its first event.
    const inside = fixture.bytes.indexOf('{', first) + 1;
    pieces.push(fixture.bytes.subarray(at, inside), bytesOf(`${member},`));
    at = inside;
  }
  return Buffer.concat([...pieces, fixture.bytes.subarray(at)]);
}

describe('damage', () => {
  const seen = { recognised: 0, read: 0, noted: 0 };

  test(`${mutations} seeded mutations: no exception, sums intact, rules kept`, { timeout: 600_000 }, async () => {
    const logs = await Promise.all(all.map(async (fixture) => ({ fixture, claim: await claimed(fixture) })));
    const small = logs.filter(({ fixture }) => fixture.bytes.length <= 64 * 1024);
    for (let seed = 0; seed < mutations; seed++) {
      const random = randomFrom(seed);
      const log = small[seed % small.length];
      if (log === undefined) throw new Error('there are no fixtures');
      const { fixture, claim } = log;
      const structure = random() < 0.5 ? mutateStructure(fixture.bytes.toString('utf8'), fixture.kind, random) : null;
      const bytes = structure === null ? mutateBytes(fixture.bytes, random) : bytesOf(structure);
      try {
        await checkDamaged(fixture, claim, bytes, seed);
      } catch (error) {
        throw new Error(`seed ${seed} on ${fixture.id}`, { cause: error });
      }
    }
    // Damage that is never read tells nothing.
    console.log(`mutations: ${seen.recognised} recognised, ${seen.read} rollouts read, ${seen.noted} noted`);
    expect(seen.recognised).toBeGreaterThan(mutations / 2);
    expect(seen.noted).toBeGreaterThan(1000);
  });

  async function checkDamaged(fixture: Fixture, claim: Claim, bytes: Buffer, seed: number): Promise<void> {
    const found = await claimOf(fixture.name, bytes);
    if (found !== null) seen.recognised++;
    const using = found ?? claim;
    const { rollouts, notes, summary } = await readAll(using, bytes);
    seen.read += summary.read;
    seen.noted += summary.noted;
    if (notes.length < summary.noted) expect(notes.length).toBe(summary.noted);
    for (const rollout of rollouts) {
      const broken = brokenRule(rollout);
      if (broken !== null) expect(broken).toBeNull();
    }
    const first = rollouts[0];
    if (seed % 20 !== 0 || first === undefined) return;
    expect(structuredClone(first)).toEqual(first);
    expect(await using.reader.readOne(bytesSource(fixture.name, bytes), first.place, using.recognition)).toEqual(first);
  }
});
