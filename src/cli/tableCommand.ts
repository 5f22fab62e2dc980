/**
 * `table`: a row a rollout with the columns that are named, as JSON lines, CSV or Parquet: those of the index, and the
 * numbers that the advantage charts draw of single rollouts.
 * Leaves out the columns (store/columns.ts, analysis/rolloutPushes.ts) and writing them (store/exportTable.ts).
 */
import { FATE } from '../analysis/coupled.ts';
import { REGION } from '../analysis/regions.ts';
import { rolloutPushes, type PushOptions } from '../analysis/rolloutPushes.ts';
import { listText } from '../engine/plainText.ts';
import type { RunIndex } from '../engine/runIndex.ts';
import { rolloutColumns, runColumns } from '../store/columns.ts';
import { exportableColumns, exportTable, type ExportFormat, type FurtherColumns } from '../store/exportTable.ts';
import { readSampleColumns } from '../store/sampleColumns.ts';
import { sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { onlyPath, onlyRun, runOptions, withLibrary } from './openLogs.ts';
import { couplingOptions, pushOptionsOf } from './pushOptions.ts';

const defaultColumns =
  'step,group,rollout,file,row,reward,correct,calls,acc_reward,tool_reward,acc_advantage,tool_advantage,qualifies,redundant_calls';

/** What the charts draw of single rollouts, with one sentence each. */
const pushColumns: readonly (readonly [name: string, sentence: string])[] = [
  ['length', 'L: tokens inside the response mask, or characters of model text where not every rollout logs tokens.'],
  ['acc_push', 'w_acc·A_acc·L/mean(L) with w_acc = 1, means over the step.'],
  [
    'tool_push',
    'w_tool·A_tool·(N/N_sig)·L/mean_sig(L) with w_tool = 0.15; N_sig rollouts of the step have A_tool ≠ 0.',
  ],
  ['push', 'acc_push + tool_push.'],
  ['coupled_advantage', 'Advantage of the coupled reward (--form, --alpha), normalised over the group.'],
  ['coupled_fate', `What it changes: ${Object.keys(FATE).join(', ')}.`],
  ['region', `Region of the plane A_acc × A_tool: ${Object.keys(REGION).join(', ')}.`],
  ['calls_beyond_mean', 'T − mean T of the group.'],
];

/** The row of cli.ts's table. */
export const tableCommand: Command = {
  usage: 'table PATH [--run ID] [--columns a,b,c] [--format jsonl|csv|parquet]',
  sentence: 'prints a row a rollout, with the columns you name',
  options: {
    columns: `a,b,c (default: ${defaultColumns})`,
    format: 'jsonl (default), csv or parquet',
    ...couplingOptions,
    ...runOptions,
    ...sharedOptions,
  },
  json: false,
  run: table,
  more: () => {
    const known = new Map([...rolloutColumns, ...runColumns].map((column) => [column.name, column.sentence]));
    return listText([
      ...exportableColumns().map((name): [string, string] => [name, known.get(name) ?? '']),
      ...pushColumns.map(([name, sentence]): [string, string] => [name, sentence]),
    ]);
  },
};

async function table(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'table');
  const format = given.option('format') ?? 'jsonl';
  if (!isExportFormat(format)) throw new UsageError(`--format ${format}: choose jsonl, csv or parquet`);
  const columns = (given.option('columns') ?? defaultColumns).split(',').map((name) => name.trim());
  const ofPushes = new Set(pushColumns.map(([name]) => name));
  const unknown = columns.filter((name) => !exportableColumns().includes(name) && !ofPushes.has(name));
  if (unknown.length > 0) throw new UsageError(`there is no column ${unknown.join(', ')}; see: table --help`);
  if (format === 'parquet' && process.stdout.isTTY) throw new UsageError('write Parquet to a file: table … > FILE');
  const options = pushOptionsOf(given);
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path, given);
    // Single rollouts are computed only where a column needs them.
    const further = columns.some((name) => ofPushes.has(name)) ? await furtherColumns(run, options) : null;
    const { temporaryFolder } = library;
    await exportTable(run.table, process.stdout, { columns, format, temporaryFolder, ...(further ? { further } : {}) });
    return readable;
  });
}

async function furtherColumns(run: RunIndex, options: PushOptions): Promise<FurtherColumns> {
  const { columns } = await readSampleColumns(run.table);
  const { acc, tool, coupled, regions } = rolloutPushes(columns, options);
  const names = (codes: Readonly<Record<string, number>>) => (code: number) =>
    Object.entries(codes).find(([, value]) => value === code)?.[0] ?? null;
  return {
    key: columns.key,
    numbers: {
      length: Float64Array.from(columns.length),
      acc_push: acc,
      tool_push: tool,
      push: acc.map((value, index) => value + (tool[index] ?? NaN)),
      coupled_advantage: Float64Array.from(coupled.advantage),
      calls_beyond_mean: Float64Array.from(regions.spread),
    },
    names: {
      coupled_fate: Array.from(coupled.fate, names(FATE)),
      region: Array.from(regions.region, names(REGION)),
    },
  };
}

function isExportFormat(format: string): format is ExportFormat {
  return format === 'jsonl' || format === 'csv' || format === 'parquet';
}
