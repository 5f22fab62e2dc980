/**
 * The open runs as the Curate page names them. Leaves out which of them are curated (the page's).
 */
import type { Session } from '../../host/session.ts';
import type { CurateRun, CurateRuns } from '../../protocol/curatePage.ts';
import type { RunSummary } from '../../protocol/engine.ts';
import type { Works } from './works.ts';

/** All open runs, whether more may come, and what is being done. */
export function runsOf(session: Session, works: Works): Omit<CurateRuns, 'asked'> {
  return {
    runs: session.runs.map(curateRun),
    searching: session.searchState.state !== 'done',
    working: works.current(),
  };
}

/** One run. */
export function curateRun({ id, name, rollouts, state }: RunSummary): CurateRun {
  return { id, name, rollouts, indexing: state === 'indexing' || state === 'found' };
}
