/**
 * What the Curate page keeps between its lives: VS Code tears a hidden page down. Runs, settings, which bar's rows are
 * listed and where, the judge and the form of the export. Pure; saved data is foreign, so each part is checked.
 */
import { isObject, type Json } from '../../src/base/json.ts';
import { allFilters, curationFrom } from '../../src/protocol/curateConfig.ts';
import {
  defaultCuration,
  type CurationConfig,
  type CurationExport,
  type CurationFilter,
} from '../../src/protocol/curation.ts';
import type { RunId } from '../../src/protocol/engine.ts';

/** Whose rows are listed: those that a filter or the user drops, or those that are kept. */
export type RowList = CurationFilter | 'by hand' | 'kept';

/** The page as it was left. */
export interface PageState {
  readonly runs: readonly RunId[];
  readonly config: CurationConfig;
  /** Null before a bar was chosen. */
  readonly list: RowList | null;
  /** Row of the list that the keyboard stood on. */
  readonly at: number;
  readonly view: { readonly table: boolean; readonly about: boolean };
  /** Id of the judge that was chosen. */
  readonly judge: string | null;
  readonly target: Omit<CurationExport, 'path'>;
}

/** A page that was never open. */
export const freshPage: PageState = {
  runs: [],
  config: defaultCuration,
  list: null,
  at: 0,
  view: { table: false, about: false },
  judge: null,
  target: { format: 'jsonl', form: 'messages', images: 'files' },
};

/** The forms that rows of a stage can be written in, those of the command line; the first is the usual one. */
export const formsOf = { sft: ['messages', 'verl', 'pairs'], rl: ['verl', 'messages', 'pairs'] } as const;

/** The state that an earlier life of the page saved; anything else that is saved counts as nothing. */
export function savedPage(saved: unknown): PageState {
  if (!isObject(saved)) return freshPage;
  const config = curationFrom(saved.config) ?? defaultCuration;
  const view = isObject(saved.view) ? saved.view : {};
  return {
    runs: Array.isArray(saved.runs) ? saved.runs.filter((run) => typeof run === 'string') : [],
    config,
    list: listOf(saved.list),
    at: typeof saved.at === 'number' && Number.isSafeInteger(saved.at) && saved.at >= 0 ? saved.at : 0,
    view: { table: view.table === true, about: view.about === true },
    judge: typeof saved.judge === 'string' ? saved.judge : null,
    target: targetOf(saved.target, config),
  };
}

/** The same page with other settings: a list or form that the stage does not have is given up. */
export function withConfig(state: PageState, config: CurationConfig): PageState {
  if (config.stage === state.config.stage) return { ...state, config };
  const { format, images } = state.target;
  return { ...state, config, list: null, at: 0, target: targetOf({ format, images }, config) };
}

function listOf(value: Json | undefined): RowList | null {
  return value === 'kept' || value === 'by hand' ? value : (allFilters.find((filter) => filter === value) ?? null);
}

function targetOf(value: unknown, { stage }: CurationConfig): PageState['target'] {
  const given = isObject(value) ? value : {};
  const forms: readonly CurationExport['form'][] = formsOf[stage];
  return {
    format: given.format === 'parquet' ? 'parquet' : 'jsonl',
    form: forms.find((form) => form === given.form) ?? forms[0] ?? 'messages',
    images: given.images === 'data URIs' ? 'data URIs' : 'files',
  };
}
