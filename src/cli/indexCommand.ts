/**
 * `index`: the shards of a run, or of the I-th of N parts of its files, written to a folder on any machine.
 * Leaves out reading and writing them (engine/buildIndex.ts).
 */
import { buildIndex, type BuiltFile } from '../engine/buildIndex.ts';
import { tableText } from '../engine/plainText.ts';
import {
  print,
  printJson,
  problem,
  sentenceOf,
  sharedOptions,
  UsageError,
  type Arguments,
  type Command,
} from './command.ts';
import { onlyPath, reportNotes, withLibrary } from './openLogs.ts';

/** The row of cli.ts's table. */
export const indexCommand: Command = {
  usage: 'index PATH --out DIR [--shard I/N] [--json]',
  sentence: 'writes the index of a run, or the I-th of N parts of it (on any machine), to DIR',
  options: {
    out: 'DIR   folder for the shards; other commands take it as --index',
    shard: 'I/N   1/1 by default',
    mapping: sharedOptions.mapping,
  },
  json: true,
  run: index,
};

async function index(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'index');
  if (given.option('out') === null) throw new UsageError('index needs --out DIR');
  const share = /^(?<index>\d+)\/(?<count>\d+)$/u.exec(given.option('shard') ?? '1/1')?.groups;
  const part = { index: Number(share?.['index']), count: Number(share?.['count']) };
  if (!(part.index >= 1 && part.index <= part.count)) throw new UsageError('--shard takes I/N with 1 ≤ I ≤ N');
  return withLibrary(given, async (library) => {
    const { runs, notes } = await library.find(path);
    const built: BuiltFile[] = [];
    const { signal } = new AbortController();
    const { store, pool, contents } = library;
    await buildIndex(runs, {
      store,
      pool,
      contents,
      base: path,
      share: part,
      signal,
      built: (file) => built.push(file),
    });
    built.sort((a, b) => (a.file < b.file ? -1 : 1));
    for (const { file, problem: why } of built) if (why !== null) problem(`error: ${file}: ${sentenceOf(why)}`);
    const shards = built.map(({ file, state, keys, rollouts }) => ({ file, state, shards: keys, rollouts }));
    if (given.json) await printJson({ shards });
    else await print(tableText(shards.map((one) => ({ ...one, shards: one.shards.length }))));
    return reportNotes([...notes, ...built.flatMap((one) => one.notes)]) && built.every((one) => one.problem === null);
  });
}
