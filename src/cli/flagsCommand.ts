/**
 * `flags`: a row a flagged call, with its evidence. The index knows which calls are flagged, but evidence stands in the log:
 * records are read again one at a time, so memory does not grow with the run.
 * Leaves out the rules (analysis/redundancy) and how evidence is put (engine/flagReport.ts).
 */
import { flagsOfRun, type FoundFlags } from '../engine/flagsOfRun.ts';
import type { FlagConfidence, ShownFlag } from '../protocol/flags.ts';
import { print, problem, sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { onlyPath, onlyRun, runOptions, withLibrary } from './openLogs.ts';

/** From the surest down: `--confidence likely` means likely and surer. */
const confidences: readonly FlagConfidence[] = ['certain', 'likely', 'hint'];

/** The row of cli.ts's table. */
export const flagsCommand: Command = {
  usage: 'flags PATH [--run ID] [--confidence certain|likely|hint] [--format jsonl]',
  sentence:
    'prints a row a flag (a call and a rule) with confidence and evidence; indexes count from 0, sentences name calls from 1',
  options: {
    confidence: 'certain, likely or hint: what is at least so sure (default hint: all; only the others are counted)',
    format: 'jsonl (default)',
    ...runOptions,
    ...sharedOptions,
  },
  json: false,
  run: flags,
};

async function flags(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'flags');
  const format = given.option('format') ?? 'jsonl';
  if (format !== 'jsonl') throw new UsageError(`--format ${format}: only jsonl is written`);
  const least = confidences.findIndex((one) => one === (given.option('confidence') ?? 'hint'));
  if (least < 0) throw new UsageError(`--confidence ${given.option('confidence')}: choose certain, likely or hint`);
  const wanted = new Set(confidences.slice(0, least + 1));
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path, given);
    let gone = 0;
    for await (const found of flagsOfRun(run, library.contents)) {
      if (found.flags === null) {
        gone += 1;
        problem(`warning: ${found.file}: record ${found.row + 1} has changed since it was indexed`);
        continue;
      }
      const lines = linesOf(found, wanted);
      if (lines.length > 0) await print(lines.join('\n'));
    }
    return readable && gone === 0;
  });
}

function linesOf({ file, row, step, flags: all }: FoundFlags, wanted: ReadonlySet<FlagConfidence>): readonly string[] {
  return (all ?? [])
    .filter(({ confidence }) => wanted.has(confidence))
    .map((flag) => {
      const { call, count, rule, confidence } = flag;
      const number = call === null ? { count } : {};
      return JSON.stringify({ file, row, step, call, ...number, rule, confidence, evidence: evidenceOf(flag) });
    });
}

/** Only what there is: a sentence, references (0-based), measured values, siblings, boxes, and what the call cost. */
function evidenceOf(flag: ShownFlag) {
  const { sentence, refersTo, refersToTurn, evidence, witnesses, boxes, latencyMs, characters } = flag;
  return {
    sentence,
    ...(refersTo === null ? {} : { call: refersTo }),
    ...(refersToTurn === null ? {} : { turn: refersToTurn }),
    ...(evidence.length === 0 ? {} : { values: Object.fromEntries(evidence.map(({ name, value }) => [name, value])) }),
    ...(witnesses.length === 0
      ? {}
      : { siblings: witnesses.map(({ ref: { file, row }, correct, calls }) => ({ file, row, correct, calls })) }),
    ...(boxes.length === 0 ? {} : { boxes }),
    ...(latencyMs === null ? {} : { latency_ms: latencyMs }),
    ...(characters === null ? {} : { characters }),
  };
}
