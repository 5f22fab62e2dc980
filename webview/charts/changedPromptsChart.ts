/**
 * The chart "Prompts that changed most": of two of the shown runs the prompts that both have, ranked by how large
 * their change is at least (the lower bound of its 95 % interval), each with the interval. A row opens a rollout of
 * either run side by side. Leaves out the intervals (src/analysis/compareRuns.ts) and the list (changedList.ts).
 */
import {
  changedPrompts,
  sharedMoments,
  type ComparedMeasure,
  type PromptChange,
  type SharedMoments,
} from '../../src/analysis/compareRuns.ts';
import { countText, notKnown, pluralText } from '../../src/base/numberText.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import { select } from '../ui/select.ts';
import { makeChangedList, type ChangedList } from './changedList.ts';
import { makeMemo } from './memo.ts';
import type { Drawing, NothingDrawn, PanelChart, PanelContext, PanelInput, PanelRun } from './panelChart.ts';
import { makePromptKeys, type PromptKeys } from './promptKeys.ts';
import { chosenRuns, makeRunPair, type RunPair } from './runPair.ts';
import { hasColumns, type RunSamples } from './samples.ts';
import { changeOfMeasureText, comparedColumnNames, measureText, rangeText, type ComparedSide } from './changedTexts.ts';
import { changeScene, mostDrawn } from './changedScene.ts';
import { changedWhy } from './changedWhy.ts';
import { readingRollouts } from './xySteps.ts';

/** What is compared, as the control calls it. */
const measures: Readonly<Record<ComparedMeasure, string>> = {
  accuracy: 'share of right rollouts',
  toolRate: 'tool rate',
  calls: 'calls per rollout',
};

/** Prompts of two runs whose behaviour differs for sure. */
export const changedPromptsChart: PanelChart = {
  id: 'changedPrompts',
  title: 'Prompts that changed most',
  unit: 'second run − first run, 95 % interval',
  about:
    'Two of the shown runs (the first two, unless others are chosen): for each prompt that both have, the change from the first to the second over the selected steps (all, if none are selected). Where both were trained on the same prompts in the same order, only steps that both logged count, so that training time is not taken for a change. Ranked by the bound of the 95 % interval that is nearer to no change, since by the change itself the list would be of prompts that were sampled least; a prompt whose interval holds 0 has no sure change. Shares have Newcombe’s interval of two Wilson intervals; means of T one whose variance is moderated by that of all prompts. Enter or a click opens a rollout of either run side by side.',
  columns: comparedColumnNames,
  columnsOf: 'shown',
  wide: true,
  weightless: true,
  make: (context) => {
    const own = savedCompared(context.saved);
    const memo = makeMemo<readonly PromptChange[]>();
    const moments = makeMemo<SharedMoments | null>();
    const keys = makePromptKeys(context.api, { onKeys: context.redraw, onError: context.showError });
    let list: ChangedList | null = null;
    let choice: RunPair | null = null;
    return {
      controls: () => {
        choice = makeRunPair((runs) => {
          own.runs = runs;
          context.save({ ...own });
        });
        return [measureControl(context, own), choice.node];
      },
      details: () => {
        list = makeChangedList(context);
        return list.node;
      },
      draw: (input, width) => {
        choice?.update(input.runs, chosenRuns(input.runs, own.runs));
        const compared = compare(input, { own, memo, moments, keys });
        if ('missing' in compared) {
          list?.update(null);
          return compared;
        }
        const rows = compared.changes.slice(0, mostDrawn);
        list?.update({ ...compared, changes: rows, measure: own.measure });
        return drawingOf(compared, { width, own, rows, pick: (index) => list?.pick(index) });
      },
    };
  },
};

/** What the chart keeps: the measure, and the two runs where someone chose them. */
interface ComparedChoice {
  measure: ComparedMeasure;
  runs: readonly RunId[];
}

function isMeasure(value: unknown): value is ComparedMeasure {
  return typeof value === 'string' && value in measures;
}

function savedCompared(saved: unknown): ComparedChoice {
  const kept = typeof saved === 'object' && saved !== null ? saved : {};
  const measure = 'measure' in kept && isMeasure(kept.measure) ? kept.measure : 'accuracy';
  const runs: unknown = 'runs' in kept ? kept.runs : [];
  return { measure, runs: Array.isArray(runs) ? runs.filter((run): run is string => typeof run === 'string') : [] };
}

function measureControl(context: PanelContext, own: ComparedChoice): HTMLElement {
  return select({
    label: 'Compare',
    choices: measures,
    chosen: own.measure,
    onChange: (measure) => {
      own.measure = measure;
      context.save({ ...own });
    },
  });
}

/** The two runs and the changes between them. */
interface Compared {
  readonly sides: readonly [ComparedSide, ComparedSide];
  readonly changes: readonly PromptChange[];
  readonly steps: readonly [number, number] | null;
  readonly moments: SharedMoments | null;
}

interface CompareOptions {
  readonly moments: ReturnType<typeof makeMemo<SharedMoments | null>>;
  readonly own: ComparedChoice;
  readonly memo: ReturnType<typeof makeMemo<readonly PromptChange[]>>;
  readonly keys: PromptKeys;
}

function compare(input: PanelInput, { own, memo, moments, keys }: CompareOptions): Compared | NothingDrawn {
  const [first, second] = chosenRuns(input.runs, own.runs);
  if (!first || !second) return { missing: 'Show two runs above to compare their prompts.' };
  const [one, other] = [sideOf(first, keys), sideOf(second, keys)];
  if (!one || !other) return readingRollouts;
  const { measure } = own;
  const { steps } = input.selection;
  const runs = [
    { ...one.columns, promptKey: one.promptKey },
    { ...other.columns, promptKey: other.promptKey },
  ] as const;
  const pair = [first.id, second.id, other.version];
  const shared = moments(one.columns.prompt, JSON.stringify(pair), () => sharedMoments(...runs));
  const changes = memo(one.columns.prompt, JSON.stringify([...pair, measure, steps]), () =>
    changedPrompts(...runs, { measure, moments: shared, ...(steps === null ? {} : { steps }) }),
  );
  if (changes.length === 0) {
    return {
      missing: `${first.name} and ${second.name} have no prompt in common${steps === null ? '' : ' in these steps'}.`,
    };
  }
  return { sides: [one, other], changes, steps, moments: shared };
}

function sideOf(run: PanelRun, keys: PromptKeys) {
  const { samples }: { readonly samples: RunSamples | null } = run;
  if (!samples || !hasColumns(samples.columns, comparedColumnNames)) return null;
  const promptKey = keys.of(run.id, samples.version);
  return promptKey === null ? null : { run, columns: samples.columns, promptKey, version: samples.version };
}

interface DrawingOptions {
  readonly width: number;
  readonly own: ComparedChoice;
  readonly rows: readonly PromptChange[];
  readonly pick: (index: number) => void;
}

function drawingOf({ sides, changes, steps, moments }: Compared, { width, own, rows, pick }: DrawingOptions): Drawing {
  const { measure } = own;
  const [first, second] = [sides[0].run.name, sides[1].run.name];
  const sure = changes.filter(({ least }) => least > 0);
  const more = sure.filter(({ change }) => change > 0).length;
  const where = moments === null ? 'over all their steps' : 'at the steps that both logged';
  const [surest] = rows;
  const least =
    surest && surest.least > 0
      ? `; the surest ${surest.change > 0 ? 'up' : 'down'} by at least ${changeOfMeasureText(measure, surest.least).replace('+', '')}`
      : '';
  const summary = `${first} against ${second}, ${measures[measure]}${steps === null ? `, ${where}` : ''}: of ${pluralText(changes.length, 'prompt')} that both have, ${countText(sure.length)} changed for sure (${countText(more)} up, ${countText(sure.length - more)} down)${least}.`;
  const text = (value: number): string => changeOfMeasureText(measure, value);
  const column = (title: string, of: (change: PromptChange) => number, format: (value: number) => string) => ({
    title,
    value: (row: number) => {
      const change = changes[row];
      return change ? of(change) : null;
    },
    text: (row: number) => {
      const change = changes[row];
      return change ? format(of(change)) : notKnown;
    },
  });
  return {
    ...changeScene(rows, {
      width,
      text,
      names: [first, second],
      value: (value) => measureText(measure, value),
      range: (change) => rangeText(measure, change),
      pick,
      why: (change) => changedWhy({ sides, steps, moments, measure }, change),
    }),
    rasters: [],
    brushes: [],
    summary,
    table: () => ({
      caption: `${measures[measure]}: ${first} against ${second}, by prompt`,
      rows: changes.length,
      columns: [
        { title: 'rank', value: (row: number) => row + 1, text: (row: number) => countText(row + 1) },
        column(
          first,
          ({ values }) => values[0],
          (value) => measureText(measure, value),
        ),
        column(
          second,
          ({ values }) => values[1],
          (value) => measureText(measure, value),
        ),
        column('change', ({ change }) => change, text),
        column('low', ({ low }) => low, text),
        column('high', ({ high }) => high, text),
        column('at least', ({ least }) => least, text),
        column(`rollouts of ${first}`, ({ counts }) => counts[0], countText),
        column(`rollouts of ${second}`, ({ counts }) => counts[1], countText),
      ],
    }),
  };
}
