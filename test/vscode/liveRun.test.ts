// A training that writes while it is looked at: runs, steps and rollouts appear by themselves, an open transcript
// follows its group, and what the user selected stays selected.
//
// Leaves out: how changes are noticed (test/unit/engine), and files that cannot be read (failures.test.ts).
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metisLine, metisRecord, seededRandom, writeMetisRun, type MetisRecordOptions } from '../generate/metisRun.mjs';
import { launch, type Launched } from './launch.ts';
import type { Tree, TreeRow } from './tree.ts';
import type { Workbench } from './workbench.ts';

/** Folders are asked every two seconds; the rest is for a machine that is busy. */
const noticedMs = 30_000;

let launched: Launched;
let workbench: Workbench;
let tree: Tree;
let nested: string;

beforeAll(async () => {
  launched = await launch({ workspace: (folder) => writeFile(path.join(folder, 'notes.txt'), 'Nothing here yet.\n') });
  ({ workbench } = launched);
  tree = workbench.tree('Runs');
  nested = path.join(launched.workspace, 'a', 'b');
});
afterAll(() => launched?.close());

describe('a run', () => {
  test('that is made with mkdir -p after the search was over appears by itself', async () => {
    await workbench.openContainer('Rollout Lens');
    await expect.poll(() => tree.welcome().innerText()).toContain('No rollout logs were found');
    await mkdir(nested, { recursive: true });
    await writeStep(1);
    await run(/1 step · 4 rollouts/);
  });

  test('gets the steps that are written later', async () => {
    await tree.expand('Metis');
    await writeStep(2);
    await run(/2 steps · 8 rollouts/);
    await expect.poll(labels, { timeout: noticedMs }).toEqual(['b', 'step 1', 'step 2']);
  });
});

describe('a log that grows line by line', () => {
  test('has each rollout once, while its open transcript follows the group', async () => {
    await tree.expand('step 1');
    await tree.expand(question);
    await tree.click('#1');
    await workbench.editor.textContaining('rollout 1 of 4');
    const file = path.join(nested, '1.jsonl');
    for (let size = 5; size <= 9; size += 1) {
      await appendFile(file, line(1, size));
      await run(new RegExp(`2 steps · ${size + 4} rollouts`));
      await expect.poll(members, { timeout: noticedMs }).toEqual(numbered(size));
    }
    const text = await workbench.editor.textContaining('rollout 1 of 9');
    expect(text).not.toContain('rollout 1 of 4');
    await workbench.screenshot('live-grown');
  });

  test('waits for the end of a line that is only half written', async () => {
    const file = path.join(nested, '1.jsonl');
    const next = line(1, 10);
    await appendFile(file, next.slice(0, next.length / 2));
    // Long enough to be noticed: the next full line of another step comes after it.
    await appendFile(path.join(nested, '2.jsonl'), line(2, 5));
    await run(/2 steps · 14 rollouts/);
    expect(await members()).toEqual(numbered(9));
    await appendFile(file, next.slice(next.length / 2));
    await run(/2 steps · 15 rollouts/);
    await expect.poll(members, { timeout: noticedMs }).toEqual(numbered(10));
  });

  test('leaves the selection where it is', async () => {
    expect(await selected()).toEqual(['#1']);
    await appendFile(path.join(nested, '1.jsonl'), line(1, 11));
    await writeStep(3);
    await run(/3 steps · 20 rollouts/);
    expect(await selected()).toEqual(['#1']);
    expect(await workbench.editor.tabs()).toHaveLength(1);
  });
});

describe('a log that', () => {
  test('is rewritten is read again: no rollout of before is left', async () => {
    const file = path.join(nested, '1.jsonl');
    const kept = (await readFile(file, 'utf8')).split('\n').slice(0, 3);
    const temporary = path.join(nested, '1.jsonl.tmp');
    await writeFile(temporary, `${kept.join('\n')}\n`);
    await rename(temporary, file);
    await run(/3 steps · 12 rollouts/);
    await expect.poll(members, { timeout: noticedMs }).toEqual(numbered(3));
    await workbench.editor.textContaining('rollout 1 of 3');
  });

  test('is deleted goes, the other steps stay', async () => {
    await rm(path.join(nested, '2.jsonl'));
    await run(/2 steps · 7 rollouts/);
    await expect
      .poll(async () => (await labels()).filter((label) => label.startsWith('step')))
      .toEqual(['step 1', 'step 3']);
  });

  test('comes back is there again', async () => {
    await writeStep(2);
    await run(/3 steps · 11 rollouts/);
  });
});

test('a whole training: 20 steps in 4 s, each rollout once', async () => {
  const directory = path.join(launched.workspace, 'training');
  for (let step = 1; step <= 20; step += 1) {
    await writeMetisRun({ ...training, directory, steps: 1, firstStep: step });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await expect
    .poll(async () => (await runRow('training')).description, { timeout: noticedMs })
    .toMatch(/writing step 20 · 20 steps · 160 rollouts/);
  await tree.expand('20 steps');
  // A level never lists more than it can show; 20 steps are few enough to stand one below the other.
  await tree.collapse('3 steps');
  await expect.poll(async () => (await labels()).filter((label) => label.startsWith('step')).length).toBe(20);
  await workbench.screenshot('live-training');
});

test('nothing of ours complained', async () => {
  expect(await workbench.extensionErrors()).toEqual([]);
  expect(workbench.problems).toEqual([]);
});

const training = { promptsPerStep: 2, rolloutsPerPrompt: 4, seed: 7, trainingSteps: 20 } as const;

/** All rollouts of a step are one group. */
const question = 'How much is 6 × 7 + 1?';

function line(step: number, member: number): string {
  const options: MetisRecordOptions = {
    step,
    calls: member % 2 === 0 ? ['python'] : [],
    right: member % 3 !== 0,
    question: { text: question, kind: 'compute', value: 43, a: 6, b: 7, c: 1, difficulty: 0.5 },
  };
  return `${metisLine(metisRecord(seededRandom(100 * step + member), options))}\n`;
}

async function writeStep(step: number): Promise<void> {
  const lines = [1, 2, 3, 4].map((member) => line(step, member));
  await writeFile(path.join(nested, `${step}.jsonl`), lines.join(''));
}

async function runRow(name: string): Promise<TreeRow> {
  const rows = await tree.list();
  const found = rows.find(({ level, label }) => level === 1 && label === name);
  if (found === undefined) throw new Error(`No run "${name}" among ${rows.map(({ label }) => label).join(', ')}`);
  return found;
}

/** Waits until the run in a/b says this of itself. */
async function run(wanted: RegExp): Promise<void> {
  const said = async (): Promise<string> => {
    try {
      return (await runRow('b')).description;
    } catch (error) {
      return String(error);
    }
  };
  await expect.poll(said, { timeout: noticedMs }).toMatch(wanted);
}

async function labels(): Promise<readonly string[]> {
  return (await tree.list()).map(({ label }) => label);
}

/** The rollouts of the open group. */
async function members(): Promise<readonly string[]> {
  return (await labels()).filter((label) => label.startsWith('#'));
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `#${index + 1}`);
}

async function selected(): Promise<readonly string[]> {
  return tree.pane.locator('[role="treeitem"][aria-selected="true"] .label-name').allInnerTexts();
}
