/**
 * `episode`: one rollout, as Markdown that nothing in the log can break out of, or as JSON with its group.
 * Leaves out reading the record (engine/readEpisode.ts) and the text (transcript/).
 */
import { UserError } from '../base/errors.ts';
import { fencedText } from '../engine/plainText.ts';
import { readEpisode } from '../engine/readEpisode.ts';
import { createRolloutReader } from '../engine/rolloutReader.ts';
import { renderTranscript } from '../transcript/renderTranscript.ts';
import { print, printJson, sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { onlyPath, withLibrary } from './openLogs.ts';

/** The row of cli.ts's table. */
export const episodeCommand: Command = {
  usage: 'episode PATH --row FILE:ROW [--format json|markdown]',
  sentence: 'prints one rollout; ROW is its 0-based record index in FILE',
  options: { row: 'FILE:ROW, FILE relative to PATH', format: 'markdown (default) or json', ...sharedOptions },
  json: true,
  run: episode,
};

async function episode(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'episode');
  const wanted = /^(?<file>.+):(?<row>\d+)$/su.exec(given.option('row') ?? '')?.groups;
  if (!wanted) throw new UsageError('episode needs --row FILE:ROW, for example --row 17.jsonl:0');
  const format = given.json ? 'json' : (given.option('format') ?? 'markdown');
  if (format !== 'json' && format !== 'markdown') throw new UsageError(`--format ${format}: choose json or markdown`);
  const file = (wanted['file'] ?? '').replace(/^\.\//u, '');
  const row = Number(wanted['row']);
  return withLibrary(given, async (library) => {
    const { runs } = await library.open(path);
    const run = runs.find((one) => one.absolutePath(file) !== null);
    if (!run) throw new UserError(`${file} is no log file at ${path}.`, 'FILE is relative to PATH.');
    // Only what its group needs: the steps around the file are of no use here.
    run.readOnly(file);
    await run.whenSettled();
    const ref = { run: run.id, file, row };
    const signal = new AbortController().signal;
    const { rollout, explanation, context } = await readEpisode(run, ref, {
      reader: createRolloutReader(library.contents),
      signal,
    });
    // The turns say the same once more.
    const told = { ...rollout, exactText: undefined };
    if (format === 'json') await printJson({ run: run.found().path, file, row, rollout: told, explanation });
    else await print(fencedText(renderTranscript(rollout, context).text));
    return true;
  });
}
