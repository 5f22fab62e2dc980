/**
 * An open run: one in-memory table with a row a rollout, filled from shards (or columns that could not be written) and
 * completed in place with what analysis/ derives per group. Changing a file touches only its own rows and steps. Owned by
 * the engine; leaves out the questions asked of it (questions.ts) and the arithmetic (analysis/).
 */
import { createHash } from 'node:crypto';
import { defaultThresholds } from '../model/ruleThresholds.ts';
import type { RolloutColumns } from './columnArrays.ts';
import { rolloutColumns } from './columns.ts';
import { derivedDeclarations, readAdvantageColumns, writeDerived } from './derivedColumns.ts';
import type { Database, Parameters, Writer } from './duckdb.ts';
import { rowsOfParts, rowsPerPart } from './partKeys.ts';
import { createRunFlags, type FlagRules, type RunFlags } from './runFlags.ts';
import { identifier } from './sqlText.ts';

/** A part of a file's index. `id` names its content: a part that is loaded already under this id is not loaded again. */
export type RunPart =
  | { readonly kind: 'shard'; readonly id: string; readonly rolloutsPath: string; readonly callsPath: string }
  | { readonly kind: 'columns'; readonly id: string; readonly columns: RolloutColumns };

/** A log file of a run: its parts in file order; no parts = the file is gone. */
export interface RunFile {
  /** Relative to the run's folder, '/' separated. */
  readonly file: string;
  /** Step that the file's name means, for records that log none; null → 0. */
  readonly stepFromName: number | null;
  readonly parts: readonly RunPart[];
}

/** What analysis/ needs of the rollouts of some steps: parallel arrays in the order step, file, row. NaN = null. */
export interface AdvantageColumns {
  readonly count: number;
  /** Internal key of the row; hand it back with setDerived. */
  readonly key: Float64Array;
  readonly step: Int32Array;
  /** Dense group ordinal within this batch, by step and first appearance. */
  readonly group: Uint32Array;
  readonly reward: Float64Array;
  readonly answerReward: Float64Array;
  readonly formatReward: Float64Array;
  /** 0 wrong, 1 right, 2 not logged. */
  readonly correctLogged: Uint8Array;
  readonly loggedAdvantage: Float64Array;
  readonly calls: Uint32Array;
  readonly failedCalls: Uint32Array;
  readonly redundantCalls: Uint32Array;
  readonly masked: Uint8Array;
  /** 1 = an earlier output of a rollout whose last output stands for it (verl V1). */
  readonly superseded: Uint8Array;
  readonly modelTokens: Float64Array;
  readonly modelCharacters: Float64Array;
  /** 1 = ended by a length or turn limit, 0 = not, 2 = not logged. */
  readonly truncated: Uint8Array;
}

/** What was computed for a batch of AdvantageColumns: parallel arrays, NaN = null. */
export interface DerivedColumns {
  /** 0 wrong, 1 right, 2 unknown (null). */
  readonly correct: Uint8Array;
  readonly accReward: Float64Array;
  readonly toolReward: Float64Array;
  readonly accAdvantage: Float64Array;
  readonly toolAdvantage: Float64Array;
  /** 1 = in Q. */
  readonly qualifies: Uint8Array;
  readonly groupSize: Uint32Array;
  readonly groupQualifying: Uint32Array;
  /** T − t: calls that siblings likely did without. */
  readonly siblingCalls: Uint32Array;
}

/** An open run. */
export interface RunTable {
  readonly database: Database;
  /**
   * Quoted name of the view that questions read: all columns of rolloutColumns and runColumns (`group` excepted: it is
   * `group_in_step` here, so that a new step does not renumber the others), and `key`, `file_order` for total orders.
   */
  readonly view: string;
  /** Its flagged calls. */
  readonly flags: RunFlags;
  /** Makes the table hold exactly these parts of these files (other files stay); gives the steps that changed, ascending. */
  setFiles(files: readonly RunFile[], signal?: AbortSignal): Promise<readonly number[]>;
  /** The columns of all rollouts of these steps (null = all). */
  columnsForAdvantages(steps: readonly number[] | null, signal?: AbortSignal): Promise<AdvantageColumns>;
  /** Writes back what was computed for a batch; rows that were replaced meanwhile stay without. */
  setDerived(batch: AdvantageColumns, derived: DerivedColumns): Promise<void>;
  /** Counts other flags as redundant calls, in rows that are here and in those to come. */
  setRules(rules: FlagRules): Promise<void>;
  /** Drops the table. */
  close(): Promise<void>;
}

// Compacting 400,000 rows takes 0.15 s and gives back most of what an import or a rewrite of derived columns took.
const compactAfterRows = 50_000;

interface LoadedFile {
  readonly fileId: number;
  /** Parts by id. */
  readonly parts: ReadonlyMap<string, LoadedPart>;
}

interface LoadedPart {
  readonly number: number;
  readonly part: RunPart;
}

/** The rules whose flags a shard counts: all, with the usual thresholds. */
const rulesOfShards: FlagRules = { off: [], ...defaultThresholds };

const shardNames = rolloutColumns.map(({ name }) => name);

/** Creates the empty table of a run; `name` is any text that no other open run of the database has. */
export async function openRunTable(database: Database, name: string): Promise<RunTable> {
  const base = `run_${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
  const names = { table: identifier(base), files: identifier(`${base}_files`), view: identifier(`${base}_view`) };
  let loaded: ReadonlyMap<string, LoadedFile> = new Map();
  const flags = createRunFlags({
    database,
    names: { flags: identifier(`${base}_flags`), tools: identifier(`${base}_tools`) },
    parts: () => partsOf(loaded),
    rules: rulesOfShards,
  });
  let rulesSet = false;
  const forgetFlags = (error: unknown): never => {
    flags.forget();
    throw error;
  };
  const counter = { part: 0, file: 0 };
  let changedRows = 0;
  const compactIfDue = async (changed: number): Promise<void> => {
    changedRows += changed;
    if (changedRows >= compactAfterRows && (await database.compact())) changedRows = 0;
  };
  await database.write((writer) => createTables(writer, names));
  return {
    database,
    view: names.view,
    flags,
    setFiles: async (files, signal) => {
      // Writes run in turn and `loaded` is set before the next one's BEGIN has come back, so plans see what is loaded.
      const done = await database
        .write(async (writer) => {
          const plan = planOf(files, loaded, counter);
          const changes = await applyPlan(writer, names, plan);
          if (rulesSet && plan.added.length > 0) {
            await flags.loadIn(writer, 'flags', partsOf(plan.after));
            await flags.apply(writer, names.table, rowsOfParts(plan.added.map(({ number }) => number)));
          }
          return { plan, changes };
        }, signal)
        .catch(forgetFlags);
      loaded = done.plan.after;
      await compactIfDue(done.changes.rows);
      return done.changes.steps;
    },
    columnsForAdvantages: (steps, signal) => readAdvantageColumns(database, names.view, { steps, signal }),
    setDerived: async (batch, derived) => {
      await database.write((writer) => writeDerived(writer, names.table, { batch, derived }));
      await compactIfDue(batch.count);
    },
    setRules: async (rules) => {
      flags.setRules(rules);
      rulesSet = true;
      await database
        .write(async (writer) => {
          await flags.loadIn(writer, 'flags', partsOf(loaded));
          await flags.apply(writer, names.table, 'true');
        })
        .catch(forgetFlags);
    },
    close: () =>
      database.write(async (writer) => {
        await flags.drop(writer);
        await writer.run({ sql: `DROP VIEW ${names.view}` });
        await writer.run({ sql: `DROP TABLE ${names.table}` });
        await writer.run({ sql: `DROP TABLE ${names.files}` });
      }),
  };
}

function partsOf(files: ReadonlyMap<string, LoadedFile>): ReadonlyMap<number, RunPart> {
  return new Map(
    [...files.values()].flatMap(({ parts }) => [...parts.values()].map(({ number, part }) => [number, part])),
  );
}

interface TableNames {
  readonly table: string;
  readonly files: string;
  readonly view: string;
}

async function createTables(writer: Writer, { table, files, view }: TableNames): Promise<void> {
  const columns = [
    'key BIGINT',
    'file_id INTEGER',
    'step INTEGER',
    ...rolloutColumns.map(({ name, type }) => `${name} ${type}`),
    ...derivedDeclarations,
  ];
  await writer.run({ sql: `CREATE TABLE ${table} (${columns.join(', ')})` });
  await writer.run({ sql: `CREATE TABLE ${files} (file_id INTEGER, file VARCHAR, file_order INTEGER)` });
  await writer.run({
    sql: `CREATE VIEW ${view} AS SELECT r.*, f.file, f.file_order FROM ${table} r JOIN ${files} f USING (file_id)`,
  });
}

interface Added {
  readonly part: RunPart;
  readonly number: number;
  readonly fileId: number;
  readonly stepFromName: number | null;
}

interface Plan {
  readonly dropped: readonly number[];
  readonly added: readonly Added[];
  readonly newFiles: readonly { readonly fileId: number; readonly file: string }[];
  readonly after: ReadonlyMap<string, LoadedFile>;
}

/** Which parts go and which come, given what is loaded. */
function planOf(
  files: readonly RunFile[],
  loaded: ReadonlyMap<string, LoadedFile>,
  counter: { part: number; file: number },
): Plan {
  const after = new Map(loaded);
  const dropped: number[] = [];
  const added: Added[] = [];
  const newFiles: { fileId: number; file: string }[] = [];
  for (const { file, stepFromName, parts } of new Map(files.map((each) => [each.file, each])).values()) {
    const before = loaded.get(file);
    const fileId = before?.fileId ?? (counter.file += 1);
    if (!before) newFiles.push({ fileId, file });
    const kept = new Map<string, LoadedPart>();
    for (const part of parts) {
      const known = before?.parts.get(part.id);
      const number = known?.number ?? (counter.part += 1);
      kept.set(part.id, { number, part });
      if (known === undefined) added.push({ part, number, fileId, stepFromName });
    }
    for (const [id, { number }] of before?.parts ?? []) if (!kept.has(id)) dropped.push(number);
    after.set(file, { fileId, parts: kept });
  }
  return { dropped, added, newFiles, after };
}

interface Changes {
  readonly steps: readonly number[];
  /** Rows deleted and inserted. */
  readonly rows: number;
}

async function applyPlan(writer: Writer, names: TableNames, plan: Plan): Promise<Changes> {
  const steps = new Set<number>();
  let changed = 0;
  const collect = async (parts: readonly number[]): Promise<void> => {
    if (parts.length === 0) return;
    const counted = await writer.columns({
      sql: `SELECT step, count(*) AS size FROM ${names.table} WHERE ${rowsOfParts(parts)} GROUP BY step`,
    });
    counted.number('step').forEach((step) => steps.add(step));
    counted.number('size').forEach((size) => (changed += size));
  };
  await collect(plan.dropped);
  if (plan.dropped.length > 0) {
    await writer.run({ sql: `DELETE FROM ${names.table} WHERE ${rowsOfParts(plan.dropped)}` });
  }
  await addFiles(writer, names.files, plan.newFiles);
  await addShards(writer, names.table, plan.added);
  await addColumns(writer, names.table, plan.added);
  await collect(plan.added.map(({ number }) => number));
  return { steps: [...steps].sort((a, b) => a - b), rows: changed };
}

async function addFiles(writer: Writer, files: string, newFiles: Plan['newFiles']): Promise<void> {
  if (newFiles.length === 0) return;
  await writer.run({
    sql: `INSERT INTO ${files} SELECT unnest($ids)::INTEGER, unnest($names), 0`,
    parameters: { ids: newFiles.map(({ fileId }) => fileId), names: newFiles.map(({ file }) => file) },
  });
  await writer.run({
    sql: `UPDATE ${files} SET file_order = ranked.place
          FROM (SELECT file_id AS id, row_number() OVER (ORDER BY file)::INTEGER AS place FROM ${files}) ranked
          WHERE file_id = ranked.id`,
  });
}

/** What a row of `source` (shard columns, part_number, part_file, part_step) becomes in the table. */
function insertFrom(table: string, source: string): string {
  return `INSERT INTO ${table} (key, file_id, step, ${shardNames.join(', ')})
    SELECT part_number::BIGINT * ${rowsPerPart} + row, part_file, coalesce(step_logged, part_step, 0),
      ${shardNames.join(', ')} FROM ${source}`;
}

function placeOf({ number, fileId, stepFromName }: Added): Parameters {
  return { number, file: fileId, step: stepFromName ?? 0 };
}

const partColumns = '$number::INTEGER AS part_number, $file::INTEGER AS part_file, $step::INTEGER AS part_step';

// Up to here a statement a shard is quicker than a temporary table for all of them.
const fewShards = 4;

async function addShards(writer: Writer, table: string, added: readonly Added[]): Promise<void> {
  const shards = added.flatMap((each) =>
    each.part.kind === 'shard' ? [{ ...each, path: each.part.rolloutsPath }] : [],
  );
  if (shards.length <= fewShards) {
    for (const shard of shards) {
      await writer.run({
        sql: insertFrom(table, `(SELECT *, ${partColumns} FROM read_parquet($path, hive_partitioning = false))`),
        parameters: { path: shard.path, ...placeOf(shard) },
      });
    }
    return;
  }
  await writer.run({
    sql: `CREATE TEMP TABLE parts AS SELECT unnest($paths) AS path, unnest($numbers)::INTEGER AS part_number,
          unnest($files)::INTEGER AS part_file, unnest($steps)::INTEGER AS part_step`,
    parameters: {
      paths: shards.map(({ path }) => path),
      numbers: shards.map(({ number }) => number),
      files: shards.map(({ fileId }) => fileId),
      steps: shards.map(({ stepFromName }) => stepFromName ?? 0),
    },
  });
  await writer.run({
    sql: insertFrom(
      table,
      `read_parquet($paths, filename = true, hive_partitioning = false) shard
       JOIN parts ON replace(shard.filename, '\\', '/') = replace(parts.path, '\\', '/')`,
    ),
    // Two equal files share one shard: it is read once and joined to both.
    parameters: { paths: [...new Set(shards.map(({ path }) => path))] },
  });
  await writer.run({ sql: 'DROP TABLE parts' });
}

async function addColumns(writer: Writer, table: string, added: readonly Added[]): Promise<void> {
  for (const each of added) {
    if (each.part.kind !== 'columns') continue;
    await writer.run({
      sql: `CREATE TEMP TABLE loading (${rolloutColumns.map(({ name, type }) => `${name} ${type}`).join(', ')})`,
    });
    await writer.append(
      'loading',
      rolloutColumns.map(({ type }) => type),
      each.part.columns.rollouts,
    );
    await writer.run({
      sql: insertFrom(table, `(SELECT *, ${partColumns} FROM loading)`),
      parameters: placeOf(each),
    });
    await writer.run({ sql: 'DROP TABLE loading' });
  }
}
