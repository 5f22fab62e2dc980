/** Curations of the fixture rows, asked of a real engine, and what each row of the fixture expects. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  defaultCuration,
  type CurationConfig,
  type CurationFilter,
  type CurationRow,
} from '../../../../src/protocol/curation.ts';
import type { RunId } from '../../../../src/protocol/engine.ts';
import type { TestEngine } from '../engineOfTests.ts';

/** Folder of the fixture. */
export const curationFixture = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'curation');

/** What a row of the fixture says of itself. */
export interface FixtureRow {
  readonly row: number;
  readonly why: string;
  readonly expected: string;
}

interface FixtureLine {
  readonly metadata: { readonly why: string; readonly expected: string };
  readonly group_id: string;
}

/** The rows of a stage: trajectories, or prompts (the first rollout of each). */
export async function fixtureRows(stage: 'sft' | 'rl'): Promise<readonly FixtureRow[]> {
  const text = await readFile(join(curationFixture, stage, 'rows.jsonl'), 'utf8');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FixtureLine);
  const prompts = new Set<string>();
  return lines.flatMap(({ metadata, group_id }, row) => {
    const prompt = group_id.replace(/-\d+$/, '');
    if (stage === 'rl' && prompts.has(prompt)) return [];
    prompts.add(prompt);
    return [{ row, why: metadata.why, expected: metadata.expected }];
  });
}

/** The settings that the fixture was written for. */
export async function fixtureQuestion(
  engine: TestEngine,
  stage: 'sft' | 'rl',
  more: Partial<CurationConfig> = {},
): Promise<{ readonly runs: readonly RunId[]; readonly config: CurationConfig }> {
  const run = await engine.openAndRead(join(curationFixture, stage));
  const base = await engine.openAndRead(join(curationFixture, 'base'));
  const toolFreeFrom = { kind: 'run' as const, run: base.id };
  const config = { ...defaultCuration, stage, toolFreeFrom, contextTokens: 500, ...more };
  return { runs: [run.id], config };
}

/** All rows of a question with the filter that dropped them, 'kept' or 'by hand', in file order. */
export async function allRows(
  engine: TestEngine,
  question: { readonly runs: readonly RunId[]; readonly config: CurationConfig },
): Promise<readonly { readonly outcome: string; readonly row: CurationRow }[]> {
  const { stages } = await engine.ask('funnel', question);
  const outcomes: readonly (CurationFilter | 'by hand' | null)[] = [
    ...stages.map(({ filter }) => filter),
    'by hand',
    null,
  ];
  const found: { outcome: string; row: CurationRow }[] = [];
  for (const filter of outcomes) {
    for (let total = 1, first = 0; first < total;) {
      const page = await engine.ask('curationRows', { ...question, filter, first, count: 7 });
      found.push(...page.rows.map((row) => ({ outcome: filter ?? 'kept', row })));
      total = page.total;
      first += Math.max(1, page.rows.length);
    }
  }
  return found.sort((a, b) => a.row.ref.row - b.row.ref.row);
}
