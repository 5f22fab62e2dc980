/**
 * `steps`: a row a training step with exactly the columns of the contract (DESIGN.md "The command line").
 * Leaves out the sums (analysis/steps.ts).
 */
import { stepColumns } from '../analysis/steps.ts';
import { listText, tableText } from '../engine/plainText.ts';
import { print, printJson, sharedOptions, type Arguments, type Command } from './command.ts';
import { onlyPath, onlyRun, runOptions, withLibrary } from './openLogs.ts';

/** The row of cli.ts's table. */
export const stepsCommand: Command = {
  usage: 'steps PATH [--run ID] [--json]',
  sentence: 'prints a row a training step: accuracy, tool rate, advantages and more',
  options: { ...runOptions, ...sharedOptions },
  json: true,
  run: steps,
  more: () => listText(stepColumns.map(({ name, formula, source }) => [name, `${formula} (${source})`])),
};

async function steps(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'steps');
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path, given);
    const names = stepColumns.map(({ name }) => name).filter((name) => !extraStepColumns.has(name));
    const rows = run.steps().map((row) => {
      const values = new Map(Object.entries(row));
      return Object.fromEntries(names.map((name) => [name, values.get(name) ?? null]));
    });
    if (given.json) await printJson(rows);
    else await print(tableText(rows));
    return readable;
  });
}

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
