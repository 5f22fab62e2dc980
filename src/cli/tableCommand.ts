/**
 * `table`: a row a rollout with the columns that are named, as JSON lines, CSV or Parquet.
 * Leaves out the columns (store/columns.ts) and writing them (store/exportTable.ts).
 */
import { listText } from '../engine/plainText.ts';
import { rolloutColumns, runColumns } from '../store/columns.ts';
import { exportableColumns, exportTable, type ExportFormat } from '../store/exportTable.ts';
import { sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { onlyPath, onlyRun, runOptions, withLibrary } from './openLogs.ts';

const defaultColumns =
  'step,group,rollout,file,row,reward,correct,calls,acc_reward,tool_reward,acc_advantage,tool_advantage,qualifies,redundant_calls';

/** The row of cli.ts's table. */
export const tableCommand: Command = {
  usage: 'table PATH [--run ID] [--columns a,b,c] [--format jsonl|csv|parquet]',
  sentence: 'prints a row a rollout, with the columns you name',
  options: {
    columns: `a,b,c (default: ${defaultColumns})`,
    format: 'jsonl (default), csv or parquet',
    ...runOptions,
    ...sharedOptions,
  },
  json: false,
  run: table,
  more: () => {
    const known = new Map([...rolloutColumns, ...runColumns].map((column) => [column.name, column.sentence]));
    return listText(exportableColumns().map((name) => [name, known.get(name) ?? '']));
  },
};

async function table(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'table');
  const format = given.option('format') ?? 'jsonl';
  if (!isExportFormat(format)) throw new UsageError(`--format ${format}: choose jsonl, csv or parquet`);
  const columns = (given.option('columns') ?? defaultColumns).split(',').map((name) => name.trim());
  const unknown = columns.filter((name) => !exportableColumns().includes(name));
  if (unknown.length > 0) throw new UsageError(`there is no column ${unknown.join(', ')}; see: table --help`);
  if (format === 'parquet' && process.stdout.isTTY) throw new UsageError('write Parquet to a file: table … > FILE');
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path, given);
    await exportTable(run.table, process.stdout, { columns, format, temporaryFolder: library.temporaryFolder });
    return readable;
  });
}

function isExportFormat(format: string): format is ExportFormat {
  return format === 'jsonl' || format === 'csv' || format === 'parquet';
}
