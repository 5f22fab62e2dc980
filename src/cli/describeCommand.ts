/**
 * `describe`: the runs at the paths, with what is noted of them. A path that cannot be read is a problem, not the end.
 * Leaves out finding runs (engine/).
 */
import { resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { examineRun } from '../engine/examineRun.ts';
import type { OpenedPath } from '../engine/library.ts';
import { tableText } from '../engine/plainText.ts';
import type { RunIndex } from '../engine/runIndex.ts';
import type { Finding } from '../model/finding.ts';
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
import { isUnread, nameIn, reportNotes, withLibrary } from './openLogs.ts';

/** The row of cli.ts's table. */
export const describeCommand: Command = {
  usage: 'describe PATH… [--json]',
  sentence: 'prints the runs at the paths: format, files, steps, rollouts, groups and notes',
  options: sharedOptions,
  json: true,
  run: describe,
};

async function describe(given: Arguments): Promise<boolean> {
  if (given.paths.length === 0) throw new UsageError('describe takes at least one PATH');
  return withLibrary(given, async (library) => {
    let readable = true;
    const rows = new Map<string, ReturnType<typeof described>>();
    const findings = new Map<string, readonly Finding[]>();
    for (const path of given.paths) {
      const opened = await library.open(path).catch((error: unknown): OpenedPath => {
        if (!(error instanceof UserError)) throw error;
        problem(sentenceOf(error));
        readable = false;
        return { runs: [], notes: [] };
      });
      readable = reportNotes(opened.notes, 'all') && readable;
      for (const run of opened.runs) {
        await run.whenSettled();
        const found = await examineRun(run);
        const row = described(run, { opened: resolve(path), findings: found });
        if (row.notes.some(isUnread)) readable = false;
        rows.set(run.id, row);
        findings.set(run.id, found);
        // One run at a time in memory: a folder may hold hundreds.
        await library.close(run.id);
      }
    }
    const runs = [...rows.values()];
    if (given.json) {
      await printJson({ runs: runs.map(({ sentences: _, ...run }) => run) });
      return readable;
    }
    await print(tableText(runs.map(({ notes, id: _, sentences: __, ...run }) => ({ ...run, notes: notes.length }))));
    reportNotes(
      runs.flatMap(({ sentences }) => sentences),
      'all',
    );
    reportFixes(runs.map(({ id, format }) => ({ format, findings: findings.get(id) ?? [] })));
    return readable;
  });
}

/** What to add to which trainer, each line once however many runs lack it. */
function reportFixes(runs: readonly { readonly format: string; readonly findings: readonly Finding[] }[]): void {
  const lines = new Map<string, Set<string>>();
  for (const { format, findings } of runs) {
    for (const line of findings.flatMap(({ fix }) => fix)) lines.set(line, (lines.get(line) ?? new Set()).add(format));
  }
  const byFormats = new Map<string, string[]>();
  for (const [line, formats] of lines) {
    const key = [...formats].join(', ');
    byFormats.set(key, [...(byFormats.get(key) ?? []), line]);
  }
  for (const [formats, fixes] of byFormats) {
    problem(`To log what is missing, add to the trainer (${formats}):\n${fixes.map((fix) => `  ${fix}`).join('\n')}`);
  }
}

/** A finding of the doctor as a note on the whole run. */
function noteOf({ code, severity, sentence, fix }: Finding, file: string) {
  const message = fix.length === 0 ? sentence : `${sentence} To log it, add to the trainer:\n${fix.join('\n')}`;
  return { severity, code: `doctor-${code}` as const, file, line: null, message };
}

function described(
  run: RunIndex,
  { opened, findings }: { readonly opened: string; readonly findings: readonly Finding[] },
) {
  const { id, path, producer, files, steps: stepCount, rollouts, groups } = run.summary();
  const logged = run.notes().map((note) => ({ ...note, file: nameIn(opened, note.file) }));
  const file = nameIn(opened, path);
  const notes = [...logged, ...findings.map((finding) => noteOf(finding, file))];
  const sentences = [...logged, ...findings.map((finding) => noteOf({ ...finding, fix: [] }, file))];
  return { id, path, format: producer, files, steps: stepCount, rollouts, groups, notes, sentences };
}
