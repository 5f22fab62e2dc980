/**
 * `steps`: a row a training step with exactly the columns of the contract (DESIGN.md "The command line"), or with those
 * that are named, among them the numbers of the advantage charts. Leaves out the sums (analysis/steps.ts, stepPushes.ts).
 */
import type { PushOptions } from '../analysis/rolloutPushes.ts';
import { pushColumns, stepPushes } from '../analysis/stepPushes.ts';
import { stepColumns } from '../analysis/steps.ts';
import { listText, tableText } from '../engine/plainText.ts';
import type { RunIndex } from '../engine/runIndex.ts';
import { readSampleColumns } from '../store/sampleColumns.ts';
import { print, printJson, sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { onlyPath, onlyRun, runOptions, withLibrary } from './openLogs.ts';
import { couplingOptions, pushOptionsOf } from './pushOptions.ts';

/** Columns of analysis/steps.ts that are not part of the contract. */
const extraStepColumns: ReadonlySet<string> = new Set([
  'group_size',
  'groups_merged_or_cut',
  'redundant_intrinsic_rate',
  'redundant_sibling_rate',
  'dead_all_right_share',
  'dead_all_wrong_share',
  'response_tokens_mean',
  'response_characters_mean',
  'truncated_share',
]);
const ofSteps: readonly string[] = stepColumns.map(({ name }) => name);
const ofContract = ofSteps.filter((name) => !extraStepColumns.has(name));
const ofPushes: readonly string[] = pushColumns.map(({ name }) => name);

/** The row of cli.ts's table. */
export const stepsCommand: Command = {
  usage: 'steps PATH [--run ID] [--columns a,b,c] [--json]',
  sentence: 'prints a row a training step: accuracy, tool rate, advantages and more',
  options: {
    columns: 'a,b,c or all (default: those of the contract, the first below)',
    ...couplingOptions,
    ...runOptions,
    ...sharedOptions,
  },
  json: true,
  run: steps,
  more: () =>
    listText([
      ...stepColumns.map(({ name, formula, source }): [string, string] => [name, `${formula} (${source})`]),
      ...pushColumns.map(({ name, formula }): [string, string] => [name, formula]),
    ]),
};

async function steps(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'steps');
  const names = namesOf(given);
  const options = pushOptionsOf(given);
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path, given);
    const rows = await rowsOf(run, names, options);
    if (given.json) await printJson(rows);
    else await print(tableText(rows));
    return readable;
  });
}

function namesOf(given: Arguments): readonly string[] {
  const asked = given.option('columns');
  if (asked === null) return ofContract;
  const known = [...ofSteps, ...ofPushes];
  if (asked === 'all') return known;
  const names = asked.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`there is no column ${unknown.join(', ')}; see: steps --help`);
  return names;
}

async function rowsOf(run: RunIndex, names: readonly string[], options: PushOptions) {
  // Single rollouts are read only where a number needs them.
  const pushes = names.some((name) => ofPushes.includes(name))
    ? stepPushes((await readSampleColumns(run.table)).columns, options)
    : [];
  const byStep = new Map(pushes.map((row) => [row.step, row]));
  return run.steps().map((row) => {
    const values = new Map<string, number | null>([
      ...Object.entries(row),
      ...Object.entries(byStep.get(row.step) ?? {}),
    ]);
    return Object.fromEntries(names.map((name) => [name, values.get(name) ?? null]));
  });
}
