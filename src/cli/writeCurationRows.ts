/**
 * `curate --rows FILE`: every row of a curation as one JSON line, in the order of the funnel, with the filter that dropped it
 * and why, so that reasons can be read without the editor. The file has a temporary name until it is complete.
 * Leaves out the rows themselves (engine/curation/rowPages.ts).
 */
import { open, rename, rm } from 'node:fs/promises';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import type { CurationApi, CurationConfig, CurationRow, CurationStage } from '../protocol/curation.ts';
import type { RunId } from '../protocol/engine.ts';
import type { Handlers } from '../protocol/rpc.ts';

/** Who is asked for the rows. */
export interface RowsWriting {
  readonly handlers: Handlers<CurationApi>;
  readonly signal: AbortSignal;
}

const pageRows = 200;

/** Writes all rows; UserError where the file cannot be written. */
export async function writeCurationRows(
  path: string,
  question: { readonly runs: readonly RunId[]; readonly config: CurationConfig },
  { handlers, signal }: RowsWriting,
): Promise<void> {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    const file = await open(temporary, 'w');
    try {
      for (let first = 0, total = 1; first < total;) {
        const page = await handlers.curationRows({ ...question, filter: 'all', first, count: pageRows }, signal);
        for (const row of page.rows) await file.writeFile(`${JSON.stringify(lineOf(row, question.config.stage))}\n`);
        ({ total } = page);
        first += page.rows.length;
        if (page.rows.length === 0) break;
      }
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    if (error instanceof UserError || isAbort(error) || signal.aborted) throw error;
    throw new UserError(`${path} could not be written: ${messageOf(error)}.`, 'Choose another place.');
  } finally {
    await rm(temporary, { force: true });
  }
}

function lineOf(row: CurationRow, stage: CurationStage) {
  const { key, ref, step, question, rollouts, correct, calls, filter, reason, evidence, overruled, judgement } = row;
  return {
    key,
    run: ref.run,
    file: ref.file,
    row: ref.row,
    step,
    question,
    kept: filter === null && overruled !== 'drop',
    filter,
    reason,
    evidence: Object.fromEntries(evidence.map(({ name, value }) => [name, value])),
    by_hand: overruled,
    judgement,
    // A trajectory is right or not; of a prompt some rollouts are.
    ...(stage === 'sft' ? { correct: correct === null ? null : correct === 1 } : { rollouts, right: correct }),
    calls,
  };
}
