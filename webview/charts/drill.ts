/**
 * The way down from a run to its steps, a group, a rollout, and back: each narrowing keeps what was looked at before, so
 * that Back undoes one at a time. Pure. Leaves out the row of words on the page (drillPath.ts).
 */
import type { RunId } from '../../src/protocol/engine.ts';
import type { Selection } from './panelChart.ts';
import { partText, regionText, stepsText, wholeRun } from './selection.ts';
import { modeNames } from './weights.ts';

/** Where one is: a run, and what of it is looked at. Null: the first run that is shown. */
export interface DrillPlace {
  readonly focus: RunId | null;
  readonly selection: Selection;
}

/** A place and those before it, oldest first. */
export interface Drill extends DrillPlace {
  readonly before: readonly DrillPlace[];
}

/** Nothing chosen. */
export const drillStart: Drill = { focus: null, selection: wholeRun, before: [] };

/** Steps back beyond this many are forgotten. */
const mostBefore = 30;

/** Another place; the same one again changes nothing. */
export function drillTo(drill: Drill, place: Partial<DrillPlace>): Drill {
  const next = { focus: place.focus ?? drill.focus, selection: place.selection ?? drill.selection };
  if (samePlace(next, drill)) return drill;
  const { focus, selection } = drill;
  return { ...next, before: [...drill.before, { focus, selection }].slice(-mostBefore) };
}

/** The place before; the same where there is none. */
export function drillBack(drill: Drill): Drill {
  const last = drill.before.at(-1);
  return last ? { ...last, before: drill.before.slice(0, -1) } : drill;
}

/**
 * What is looked at of a run: of another than the one in which it was chosen (which is not shown any more) only the steps,
 * since groups and regions are those of one run.
 */
export function selectionIn({ focus, selection }: DrillPlace, run: RunId | null): Selection {
  return focus === null || focus === run ? selection : { ...wholeRun, steps: selection.steps };
}

/** Whether nothing of the run is chosen: the top of the path. */
export function isWhole({ selection }: DrillPlace): boolean {
  return JSON.stringify(selection) === JSON.stringify(wholeRun);
}

/**
 * A selection with a part of it changed. A group is looked at whole: it ends what selected some of its members; another
 * group, or none, ends which of its rollouts is looked at.
 */
export function narrowed(selection: Selection, change: Partial<Selection>): Selection {
  const whole = typeof change.group === 'number' ? { region: null, part: null } : {};
  const next = { ...selection, ...whole, ...change };
  const left = next.group !== selection.group && change.rollout === undefined;
  return left || next.group === null ? { ...next, rollout: null } : next;
}

/** One word of the path and the selection that it stands for. */
export interface Crumb {
  readonly text: string;
  readonly selection: Selection;
}

/** What is called by its name where it is known: the question of the group, the place of the rollout in it. */
export interface CrumbNames {
  readonly question: string | null;
  /** Of the group, which the path names where the selected steps do not. */
  readonly step: number | null;
  /** "rollout 5 of 16" */
  readonly rollout: string | null;
}

/** Characters of a question in the path. */
const mostQuestion = 40;

/** The words from the run to what is looked at. */
export function crumbsOf(
  run: string,
  { steps, region, part, group, rollout }: Selection,
  names: CrumbNames = { question: null, step: null, rollout: null },
): readonly Crumb[] {
  const crumbs: Crumb[] = [{ text: run, selection: wholeRun }];
  let selection = wholeRun;
  const add = (text: string, change: Partial<Selection>): void => {
    selection = { ...selection, ...change };
    crumbs.push({ text, selection });
  };
  if (steps !== null) add(stepsText(steps), { steps });
  if (region !== null) add(`${regionText(region)} (${modeNames[region.mode]})`, { region });
  if (part !== null) add(partText(part), { part });
  const isSaid = names.step === null || (steps !== null && steps[0] === steps[1]);
  if (group !== null) {
    add(`${questionText(names.question)}${isSaid ? '' : `, step ${names.step ?? ''}`}`, { group });
  }
  if (rollout !== null) add(names.rollout ?? `rollout ${rollout}`, { rollout });
  return crumbs;
}

/** A question as a word of the path: log text, cut. */
function questionText(question: string | null): string {
  const text = (question ?? '').replaceAll(/\s+/g, ' ').trim();
  if (text === '') return 'group';
  return `“${text.length > mostQuestion ? `${text.slice(0, mostQuestion - 1)}…` : text}”`;
}

function samePlace(a: DrillPlace, b: DrillPlace): boolean {
  return a.focus === b.focus && JSON.stringify(a.selection) === JSON.stringify(b.selection);
}
