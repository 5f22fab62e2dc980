/**
 * All steps of a run's curves, asked page by page, since a message of the engine is at most 1 MB.
 * Leaves out drawing and thinning (the page's).
 */
import type { CurvesPage, EngineApi, RunCurves, RunId } from '../../protocol/engine.ts';
import type { Client } from '../../protocol/rpc.ts';

/** The curves of a run as one; steps that come while they are asked for are not waited for. */
export async function wholeCurves(
  engine: Pick<Client<EngineApi>, 'curves'>,
  run: RunId,
  signal: AbortSignal,
): Promise<RunCurves> {
  const pages: CurvesPage[] = [];
  let steps = 0;
  for (;;) {
    const page = await engine.curves({ run, first: steps }, signal);
    pages.push(page);
    steps += page.step.length;
    if (page.step.length === 0 || steps >= page.total) break;
  }
  const all = (of: (page: CurvesPage) => Float64Array): Float64Array => filled(new Float64Array(steps), pages.map(of));
  return {
    run,
    step: filled(
      new Int32Array(steps),
      pages.map(({ step }) => step),
    ),
    rollouts: filled(
      new Uint32Array(steps),
      pages.map(({ rollouts }) => rollouts),
    ),
    accuracy: all(({ accuracy }) => accuracy),
    reward: all(({ reward }) => reward),
    toolRate: all(({ toolRate }) => toolRate),
    calls: all(({ calls }) => calls),
    redundant: all(({ redundant }) => redundant),
    qualifyingShare: all(({ qualifyingShare }) => qualifyingShare),
    signalShare: all(({ signalShare }) => signalShare),
    effectiveToolWeight: all(({ effectiveToolWeight }) => effectiveToolWeight),
    accAdvantage: all(({ accAdvantage }) => accAdvantage),
    toolAdvantage: all(({ toolAdvantage }) => toolAdvantage),
    deadRightShare: all(({ deadRightShare }) => deadRightShare),
    deadWrongShare: all(({ deadWrongShare }) => deadWrongShare),
    failedCalls: all(({ failedCalls }) => failedCalls),
    responseTokens: all(({ responseTokens }) => responseTokens),
    responseCharacters: all(({ responseCharacters }) => responseCharacters),
    truncatedShare: all(({ truncatedShare }) => truncatedShare),
  };
}

function filled<Column extends Float64Array | Int32Array | Uint32Array>(
  column: Column,
  parts: readonly Column[],
): Column {
  let first = 0;
  for (const part of parts) {
    column.set(part, first);
    first += part.length;
  }
  return column;
}
