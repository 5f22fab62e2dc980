/**
 * Which keys are the player's: what a key moves, and which presses belong to a field, a button or a text instead.
 * Leaves out what a key does beside moving (main.ts).
 */
import type { PlayerKey } from '../../src/protocol/player.ts';
import type { Move } from './playhead.ts';

const moves: Readonly<Partial<Record<PlayerKey, Move>>> = {
  ArrowLeft: 'previousTurn',
  ArrowRight: 'nextTurn',
  ArrowUp: 'previousCall',
  ArrowDown: 'nextCall',
  '.': 'nextDecision',
};

/** The way a key goes; null for a key that does not move. */
export function moveOfKey(key: string): Move | null {
  return Object.entries(moves).find(([name]) => name === key)?.[1] ?? null;
}

/** False where a press belongs to what has the focus: what is typed, a button's space, the scrolling of a text. */
export function isForPlayer(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('input, select, textarea')) return false;
  if ((event.key === ' ' || event.key === 'Enter') && target?.closest('button, vscode-button, summary')) return false;
  return !(/^(ArrowUp|ArrowDown| )$/.test(event.key) && target?.closest('pre'));
}
