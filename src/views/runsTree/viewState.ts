/**
 * What stands around the tree: message, description beside the title, and the context keys that welcome views and
 * title commands look at. Pure. VS Code shows a welcome view only while there is no message, so an empty view has none.
 * Leaves out the thin progress bar (activateRunsTree.ts).
 */
import { countText, percentText, sizeText } from '../../base/numberText.ts';
import type { EngineState, SearchState } from '../../host/session.ts';
import type { Translator } from '../../host/translator.ts';
import type { RolloutFilter, RunSummary } from '../../protocol/engine.ts';
import { filterText, isFlat } from './filterText.ts';

/** What the texts depend on. */
export interface ViewFacts {
  readonly runs: readonly RunSummary[];
  readonly search: SearchState;
  readonly engine: EngineState;
  readonly filter: RolloutFilter;
  /** Folders of the workspace on this disk, and elsewhere. */
  readonly localFolders: number;
  readonly otherFolders: number;
}

/** Which welcome view fits: `runs` for none. */
export type Welcome = 'noFolder' | 'otherFolders' | 'searching' | 'nothing' | 'runs';

/** What the view shows. */
export interface ViewState {
  readonly message: string | undefined;
  readonly description: string | undefined;
  readonly welcome: Welcome;
  readonly indexing: boolean;
  readonly flat: boolean;
}

/** The view's surroundings. */
export function viewState(facts: ViewFacts, l10n: Translator): ViewState {
  const welcome = welcomeOf(facts);
  const reading = facts.runs.filter((run) => run.state === 'indexing');
  return {
    message: messageOf(facts, reading, l10n),
    description: descriptionOf(facts, welcome, l10n),
    welcome,
    indexing: reading.length > 0,
    flat: isFlat(facts.filter),
  };
}

function welcomeOf({ runs, search, localFolders, otherFolders }: ViewFacts): Welcome {
  if (runs.length > 0) return 'runs';
  if (search.state !== 'done') return 'searching';
  if (localFolders > 0) return 'nothing';
  return otherFolders > 0 ? 'otherFolders' : 'noFolder';
}

function messageOf(
  { engine, runs, otherFolders, filter }: ViewFacts,
  reading: readonly RunSummary[],
  l10n: Translator,
) {
  if (engine === 'died') {
    return l10n.t('The engine that reads logs ended unexpectedly. Refresh, or opening anything here, restarts it.');
  }
  if (reading.length > 0) return progressText(reading, l10n);
  // The description is not drawn while this is the only view of its container.
  if (runs.length > 0 && isFlat(filter)) return l10n.t('Shown: {0}', filterText(filter, l10n));
  if (runs.length > 0 && otherFolders > 0) return l10n.t('Folders that are not on this disk are not searched.');
  return undefined;
}

/** "Indexing hdpo: 20 %, 12 of 60 files, 1.2 GB of 6 GB". */
function progressText(reading: readonly RunSummary[], l10n: Translator): string {
  const sum = (of: (run: RunSummary) => number) => reading.reduce((total, run) => total + of(run), 0);
  const bytes = sum((run) => run.bytes);
  const bytesRead = Math.min(
    sum((run) => run.bytesRead),
    bytes,
  );
  const [only] = reading;
  return l10n.t(
    'Indexing {0}: {1}, {2} of {3} files, {4} of {5}',
    reading.length === 1 && only !== undefined ? only.name : l10n.t('{0} runs', reading.length),
    percentText(bytes === 0 ? 0 : bytesRead / bytes),
    countText(sum((run) => run.filesRead)),
    countText(sum((run) => run.files)),
    sizeText(bytesRead),
    sizeText(bytes),
  );
}

function descriptionOf({ filter, search }: ViewFacts, welcome: Welcome, l10n: Translator): string | undefined {
  const filtered = filterText(filter, l10n);
  if (filtered !== '') return filtered;
  if (welcome !== 'nothing') return undefined;
  return l10n.t('looked at {0} files in {1} folders', countText(search.files), countText(search.folders));
}
