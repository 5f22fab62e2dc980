/**
 * What the form keeps between its lives: VS Code tears a hidden page down. Which log it is about, and the mapping as it
 * was edited. Pure; saved data is foreign, so each part is checked.
 */
import type { FieldMapping } from '../../src/model/fieldMapping.ts';
import type { MappingForm } from '../../src/protocol/fieldMapping.ts';
import { mappingTexts as texts } from '../../src/protocol/mappingTexts.ts';

/** The form as it was left. */
export interface FormState {
  /** Absolute path of the log; null before the first answer of the host. */
  readonly path: string | null;
  /** The edited mapping; null where nothing was edited. */
  readonly draft: FieldMapping | null;
}

/** The state that an earlier life of the page saved; anything else that is saved counts as nothing. */
export function savedForm(saved: unknown): FormState {
  if (!isRecord(saved) || typeof saved.path !== 'string') return { path: null, draft: null };
  return { path: saved.path, draft: isRecord(saved.draft) ? mappingOf(saved.draft) : null };
}

/** Where the mapping that the form shows comes from. */
export function standingOf({ saved, guess }: Pick<MappingForm, 'saved' | 'guess'>, draft: FieldMapping | null): string {
  if (draft !== null) return texts.changed;
  if (saved !== null) return texts.kept;
  const has = (field: string): boolean => (guess[field] ?? null) !== null;
  if (has('messages') || (has('prompt') && has('response'))) return texts.guessed;
  return Object.keys(guess).some(has) ? texts.guessedPart : texts.notGuessed;
}

function mappingOf(draft: Readonly<Record<string, unknown>>): FieldMapping {
  const entries = Object.entries(draft).filter(
    (entry): entry is [string, string | null] => entry[1] === null || typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
