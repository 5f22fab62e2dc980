/**
 * What the charts page keeps between its lives: VS Code tears a hidden page down. Which runs were chosen, where the
 * cursor stood, which tables and explanations were open. Pure; saved data is foreign, so each part is checked.
 */
import type { Choice } from './choice.ts';
import { savedChoice } from './choice.ts';
import type { Cursor } from './cursor.ts';
import type { FigureView } from './chart.ts';

/** The page as it was left. */
export interface PageState {
  readonly choice: Choice;
  readonly cursor: Cursor | null;
  /** By chart id; a chart that is not in it is closed. */
  readonly views: Readonly<Record<string, FigureView>>;
}

/** The state in the form that is saved. */
export function toSave({ choice, cursor, views }: PageState): unknown {
  return { ...(choice === null ? {} : { chosen: [...choice] }), cursor, views };
}

/** The state that an earlier life of the page saved; anything else that is saved counts as nothing. */
export function savedState(saved: unknown): PageState {
  const choice = savedChoice(saved);
  const { cursor = null, views = null } = isRecord(saved) ? saved : {};
  return {
    choice,
    cursor:
      isRecord(cursor) && typeof cursor.run === 'string' && typeof cursor.step === 'number'
        ? { run: cursor.run, step: cursor.step }
        : null,
    views: Object.fromEntries(
      Object.entries(isRecord(views) ? views : {}).flatMap(([id, view]) =>
        isRecord(view) ? [[id, { table: view.table === true, about: view.about === true }]] : [],
      ),
    ),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
