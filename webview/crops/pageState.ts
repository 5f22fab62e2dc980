/**
 * What the page of crops keeps between its lives: which rollout it is about. Pure; saved data is foreign, so each part is
 * checked. Leaves out the pictures, which are asked again.
 */
import type { RolloutRef } from '../../src/protocol/engine.ts';

/** The rollout that an earlier life of the page saved, with its run's path; null where none was. */
export function savedRollout(saved: unknown): { readonly ref: RolloutRef; readonly path: string } | null {
  if (!isRecord(saved) || typeof saved.path !== 'string' || !isRecord(saved.ref)) return null;
  const { run, file, row } = saved.ref;
  if (typeof run !== 'string' || typeof file !== 'string' || typeof row !== 'number') return null;
  return { ref: { run, file, row }, path: saved.path };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
