/**
 * What the player keeps between its lives: which episode, where it stood, and how it was looked at. Pure; saved data is
 * foreign, so each part is checked. Leaves out scores and branches, which the host has.
 */
import type { PlayerKept } from '../../src/protocol/player.ts';
import { measureNames, type Measure } from './heat.ts';
import type { WidthBy } from './playhead.ts';

/** The kept state. */
export interface PageState {
  readonly kept: PlayerKept | null;
  readonly segment: number;
  readonly widthBy: WidthBy;
  readonly speed: number;
  readonly measure: Measure;
}

/** The speeds that can be chosen. */
export const speeds = [0.5, 1, 2, 4, 8] as const;

/** A page that was never open. */
export const freshState: PageState = { kept: null, segment: 0, widthBy: 'tokens', speed: 1, measure: 'logprob' };

/** What an earlier life saved; the usual values where it saved none, or something else. */
export function savedState(saved: unknown): PageState {
  if (!isRecord(saved)) return freshState;
  const { segment, widthBy, speed, measure } = saved;
  return {
    kept: keptOf(saved.kept),
    segment: typeof segment === 'number' && Number.isSafeInteger(segment) && segment >= 0 ? segment : 0,
    widthBy: widthBy === 'time' ? 'time' : 'tokens',
    speed: speeds.find((one) => one === speed) ?? freshState.speed,
    measure: measureNames.find((one) => one === measure) ?? freshState.measure,
  };
}

function keptOf(value: unknown): PlayerKept | null {
  if (!isRecord(value) || typeof value.path !== 'string' || !isRecord(value.ref)) return null;
  const { run, file, row } = value.ref;
  if (typeof run !== 'string' || typeof file !== 'string' || typeof row !== 'number') return null;
  return { ref: { run, file, row }, path: value.path };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
