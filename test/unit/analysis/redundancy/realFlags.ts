/**
 * Every flag in the logs that real producers published (they lie beside the clone on some machines): the rules of one
 * rollout, hints too, and `sibling`, through the real readers. What REAL.md counts; used by its test and by hand.
 * Leaves out the labels (realLabels.ts).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { flagRollout } from '../../../../src/analysis/redundancy/all.ts';
import type { Confidence } from '../../../../src/analysis/redundancy/rule.ts';
import { countByCalls, siblingVerdict } from '../../../../src/analysis/redundancy/sibling.ts';
import { correctFromReward, RIGHT, WRONG } from '../../../../src/analysis/rewards.ts';
import type { Rollout } from '../../../../src/model/rollout.ts';
import { recognise } from '../../../../src/readers/all.ts';
import { readHead } from '../../../../src/readers/head.ts';
import { bytesSource, type Source } from '../../../../src/readers/source.ts';
import { readAll } from '../../readers/readAll.ts';

/** Where the real logs lie, if they do. */
export const realFolder = join(import.meta.dirname, '../../../../../shared/data/real');
/** False on machines without them: what needs them is skipped aloud. */
export const realIsThere = existsSync(realFolder);

/** One rollout of a real log. */
export interface RealRollout {
  /** Path relative to the folder of real logs. */
  readonly file: string;
  readonly row: number;
  readonly rollout: Rollout;
}

/** One flag in a real log; `call` is null where only a number is proven (`sibling`). */
export interface RealFlag {
  readonly file: string;
  readonly row: number;
  readonly call: number | null;
  readonly rule: string;
  readonly confidence: Confidence;
}

/** All rollouts of all real logs; a file nobody reads is left out. `row` counts the rollouts of a file from 0. */
export async function realRollouts(): Promise<readonly RealRollout[]> {
  const found: RealRollout[] = [];
  for (const file of logsIn('')) {
    const source = sourceOf(join(realFolder, file));
    const known = recognise(await readHead(source));
    if (known.kind !== 'read') continue;
    const bytes = readFileSync(join(realFolder, file));
    const { rollouts } = await readAll({ reader: known.reader, recognition: known.recognition }, bytes);
    rollouts.forEach((rollout, row) => found.push({ file, row, rollout }));
  }
  return found;
}

/** Every flag of every rule in these rollouts, in their order. */
export function flagsOf(rollouts: readonly RealRollout[]): readonly RealFlag[] {
  return rollouts.flatMap((one) => {
    const { file, row, rollout } = one;
    const own = flagRollout(rollout).map(({ call, rule, confidence }) => ({ file, row, call, rule, confidence }));
    const verdict = siblingOf(one, rollouts);
    const sibling =
      verdict === null ? [] : [{ file, row, call: null, rule: 'sibling', confidence: verdict.confidence }];
    return [...own, ...sibling];
  });
}

/** What the siblings of one rollout show; null where they show nothing. */
export function siblingOf(one: RealRollout, rollouts: readonly RealRollout[]): ReturnType<typeof siblingVerdict> {
  const group = rollouts.filter(
    ({ file, rollout }) =>
      file === one.file && rollout.step === one.rollout.step && rollout.group.key === one.rollout.group.key,
  );
  if (correctOf(one.rollout) !== RIGHT) return null;
  const columns = {
    correct: group.map(({ rollout }) => correctOf(rollout)),
    calls: group.map(({ rollout }) => callsSent(rollout)),
  };
  return siblingVerdict(callsSent(one.rollout), countByCalls(group.keys(), columns));
}

function callsSent({ calls }: Rollout): number {
  return calls.filter(({ sent }) => sent).length;
}

function correctOf({ reward }: Rollout): number {
  if (reward.correct !== null) return reward.correct ? RIGHT : WRONG;
  return correctFromReward(reward.total ?? Number.NaN);
}

function sourceOf(path: string): Source {
  return bytesSource(basename(path), readFileSync(path));
}

function logsIn(folder: string): readonly string[] {
  return readdirSync(join(realFolder, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return logsIn(path);
      return /\.md$/u.test(entry.name) ? [] : [path];
    });
}
