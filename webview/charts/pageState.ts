/**
 * What the charts page keeps between its lives: VS Code tears a hidden page down. Which runs were chosen, where the
 * cursor stood, what was looked at and the way there, weights and mode, which tables and explanations were open, each
 * chart's own state. Pure; saved data is foreign, so each part is checked.
 */
import type { ContributionMode } from '../../src/analysis/contributions.ts';
import type { FigureView } from './chart.ts';
import type { Choice } from './choice.ts';
import { savedChoice } from './choice.ts';
import type { Cursor } from './cursor.ts';
import { drillStart, type Drill, type DrillPlace } from './drill.ts';
import type { PlanePart, Region, Selection, Weights } from './panelChart.ts';
import { placeOnPage, type PagePlace } from './pagePlace.ts';
import { listedByPush, type ListSort } from './sampleOrder.ts';
import { sampleSorts, wholeRun } from './selection.ts';
import { publishedWeights } from './weights.ts';

/** The page as it was left. */
export interface PageState {
  readonly choice: Choice;
  readonly cursor: Cursor | null;
  /** By chart id; a chart that is not in it is closed. */
  readonly views: Readonly<Record<string, FigureView>>;
  readonly weights: Weights;
  readonly mode: ContributionMode;
  readonly drill: Drill;
  readonly sort: ListSort;
  /** Where the page was scrolled to. */
  readonly place: PagePlace | null;
  /** Each chart's own state by its id: foreign data to the page, the chart checks it. */
  readonly own: Readonly<Record<string, unknown>>;
}

/** The state in the form that is saved. */
export function toSave({ choice, ...state }: PageState): unknown {
  return { ...(choice === null ? {} : { chosen: [...choice] }), ...state };
}

/** The state that an earlier life of the page saved; anything else that is saved counts as nothing. */
export function savedState(saved: unknown): PageState {
  const { cursor, views, weights, mode, drill, sort, own, place } = recordOf(saved);
  const point = recordOf(cursor);
  return {
    choice: savedChoice(saved),
    cursor:
      typeof point.run === 'string' && typeof point.step === 'number' ? { run: point.run, step: point.step } : null,
    views: Object.fromEntries(
      Object.entries(recordOf(views)).flatMap(([id, view]) =>
        isRecord(view) ? [[id, { table: view.table === true, about: view.about === true }]] : [],
      ),
    ),
    weights: {
      acc: weightOf(recordOf(weights).acc, publishedWeights.acc),
      tool: weightOf(recordOf(weights).tool, publishedWeights.tool),
    },
    mode: modes.find((known) => known === mode) ?? 'loss-weighted',
    drill: drillOf(drill),
    sort: sortOf(sort),
    place: placeOnPage(place),
    own: recordOf(own),
  };
}

const modes: readonly ContributionMode[] = ['loss-weighted', 'plain', 'by-sequence'];

function weightOf(value: unknown, published: number): number {
  return typeof value === 'number' && value >= 0 && value <= 10 ? value : published;
}

function sortOf(saved: unknown): ListSort {
  const { by, order } = recordOf(saved);
  const found = sampleSorts.find((known) => known === by);
  return found && (order === 'up' || order === 'down') ? { by: found, order } : listedByPush;
}

function drillOf(saved: unknown): Drill {
  if (!isRecord(saved)) return drillStart;
  const before = Array.isArray(saved.before) ? saved.before.map(placeOf) : [];
  return { ...placeOf(saved), before };
}

function placeOf(saved: unknown): DrillPlace {
  const { focus, selection } = recordOf(saved);
  return { focus: typeof focus === 'string' ? focus : null, selection: selectionOf(selection) };
}

/** A selection that was saved or stands in a link; parts that are not one are left out. */
export function selectionOf(saved: unknown): Selection {
  const { steps, region, part, group, rollout } = recordOf(saved);
  return {
    ...wholeRun,
    steps: pairOf(steps),
    region: regionOf(region),
    part: partOf(part),
    group: indexOf(group),
    // Of no group, it is not looked at.
    rollout: indexOf(group) === null ? null : indexOf(rollout),
  };
}

function indexOf(saved: unknown): number | null {
  return typeof saved === 'number' && Number.isSafeInteger(saved) && saved >= 0 ? saved : null;
}

function regionOf(saved: unknown): Region | null {
  const { channel, low, high, mode } = recordOf(saved);
  const limits = pairOf([low, high]);
  const known = modes.find((one) => one === mode);
  return limits && known && (channel === 'acc' || channel === 'tool')
    ? { channel, mode: known, low: limits[0], high: limits[1] }
    : null;
}

function partOf(saved: unknown): PlanePart | null {
  const { of, x, y } = recordOf(saved);
  const [across, up] = [pairOf(x), pairOf(y)];
  return across && up && (of === 'right' || of === 'wrong') ? { of, x: across, y: up } : null;
}

/** Two finite numbers, the smaller first. */
function pairOf(saved: unknown): readonly [number, number] | null {
  if (!Array.isArray(saved) || saved.length !== 2) return null;
  const [low, high]: unknown[] = saved;
  const fit = typeof low === 'number' && typeof high === 'number' && Number.isFinite(low) && Number.isFinite(high);
  return fit && low <= high ? [low, high] : null;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
