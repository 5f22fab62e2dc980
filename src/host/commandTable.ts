/**
 * What a view's table of commands is, and the checks for arguments that arrive with a command. Anything may run a
 * command (a keybinding, another extension, a link), so handlers take unknown values and check them here.
 * Leaves out registering (views/commands.ts).
 */
import { isObject } from '../base/json.ts';
import type { RolloutRef, RunId } from '../protocol/engine.ts';
import type * as vscode from 'vscode';

/** A command's work. What it throws or rejects with is shown by views/commands.ts; it must not show it itself. */
export type CommandHandler = (...args: readonly unknown[]) => unknown;

/** Handlers by command id. */
export type CommandTable = Readonly<Record<string, CommandHandler>>;

/** The value as the name of a rollout, or null where it is anything else. */
export function asRolloutRef(value: unknown): RolloutRef | null {
  if (!isObject(value)) return null;
  const { run, file, row } = value;
  if (typeof run !== 'string' || typeof file !== 'string') return null;
  if (typeof row !== 'number' || !Number.isSafeInteger(row) || row < 0) return null;
  return { run, file, row };
}

/** The id of a run from a bare id or from anything that has a `run` (a rollout's name, a tree node); null otherwise. */
export function asRunId(value: unknown): RunId | null {
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value.run === 'string' ? value.run : null;
}

/** The value as a whole number of 0 or more, or null where it is anything else. */
export function asIndex(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The value as a Uri (menus of explorer and tabs pass one), or null where it is anything else. */
export function asUri(value: unknown): vscode.Uri | null {
  return isUri(value) ? value : null;
}

function isUri(value: unknown): value is vscode.Uri {
  return isObject(value) && typeof value.scheme === 'string' && typeof value.path === 'string' && 'fsPath' in value;
}
