/**
 * The run written by hand: says so in every prompt, is read whole, and has a call for every rule of redundancy that one
 * log can show. That the rules flag just these calls is tested where the rules are.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../../src/model/rollout.ts';
import { claimOf } from '../readers/fixtureFolders.ts';
import { readAll } from '../readers/readAll.ts';
import { fixtures, objectsOf, shipped } from './sampleFolders.ts';

const folder = join(shipped, 'illustrated');
const marks = objectsOf(join(fixtures, 'illustrated.json'));
/** hdpo.md section 3 without `replay`, which needs a model. */
const rules =
  'after-answer blind-retry echo near-repeat no-new-information refused repeat sibling subsumed twin unused whole-image';
const files = [
  { name: '1.jsonl', producer: 'Metis / verl-tool', groups: [6, 6, 6, 4, 9] },
  { name: 'several-calls-a-turn/1.jsonl', producer: 'verl', groups: [6] },
] as const;

async function read(name: string): Promise<{ producer: string; rollouts: readonly Rollout[] }> {
  const bytes = await readFile(join(folder, name));
  const claim = await claimOf('1.jsonl', bytes);
  if (claim === null) throw new Error(`${name} is not recognised`);
  const { rollouts, notes } = await readAll(claim, bytes);
  expect(notes).toEqual([]);
  return { producer: claim.recognition.producer, rollouts };
}

describe.each(files)('$name', ({ name, producer, groups }) => {
  test('is read as its format, in groups of several rollouts', async () => {
    const found = await read(name);
    expect(found.producer).toBe(producer);
    const sizes = new Map<string, number>();
    for (const { group } of found.rollouts) sizes.set(group.key, (sizes.get(group.key) ?? 0) + 1);
    expect([...sizes.values()]).toEqual(groups);
  });

  test('says in every prompt that it is written by hand', async () => {
    const { rollouts } = await read(name);
    for (const { turns } of rollouts) {
      const [part] = turns[0]?.parts ?? [];
      expect(part?.kind === 'text' && part.text).toContain('written by hand');
    }
  });

  test('has every call that is marked, executed, and no rollout is right by accident', async () => {
    const { rollouts } = await read(name);
    for (const { row, call } of marks.filter(({ file }) => file === name)) {
      expect(rollouts[Number(row)]?.calls[Number(call)]?.sent, `row ${Number(row)}`).toBe(true);
    }
    for (const { answer, groundTruth, reward } of rollouts) {
      expect(reward.answer ?? reward.total).toBe(Number(answer === groundTruth));
    }
  });
});

test('every rule has a call that it flags, and most have one that it must leave', () => {
  const ruled = (kind: string): readonly string[] =>
    [...new Set(marks.filter((mark) => mark.kind === kind).map((mark) => String(mark.rule)))].sort();
  expect(ruled('flagged').join(' ')).toBe(rules);
  expect(ruled('near').length).toBeGreaterThan(8);
});

test('pictures are whole PNGs, and outcomes are what the tools said', async () => {
  const { rollouts } = await read('1.jsonl');
  const pictures = rollouts.flatMap(({ images }) => images.filter(({ origin }) => origin === 'observation'));
  expect(pictures.length).toBeGreaterThan(10);
  for (const { state, mime, base64 } of pictures) {
    expect([state, mime]).toEqual(['inline', 'image/png']);
    const bytes = Buffer.from(base64 ?? '', 'base64');
    expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(bytes.subarray(-8, -4).toString('latin1')).toBe('IEND');
  }
  const outcomes = new Set(rollouts.flatMap(({ calls }) => calls.map(({ outcome }) => outcome)));
  expect([...outcomes].sort()).toEqual(['failed', 'ok', 'refused']);
});
