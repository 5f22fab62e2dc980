/**
 * The funnel as bars and as a sentence: what came in, what each filter dropped, what it could not decide. Pure.
 * Leaves out drawing (funnelFigure.ts) and counting (the engine's).
 */
import { countText, percentText } from '../../src/base/numberText.ts';
import { curateTexts as texts, filterTexts, rowNouns, rowsText } from '../../src/protocol/curateTexts.ts';
import { curationFilters, type CurationConfig, type Funnel, type FunnelStage } from '../../src/protocol/curation.ts';
import type { RowList } from './pageState.ts';

/** One bar. Its parts from the left: kept (of which the last are undecided), dropped. */
export interface FunnelBar {
  /** Whose rows it lists. */
  readonly list: RowList;
  readonly name: string;
  readonly entered: number;
  readonly dropped: number;
  readonly undecided: number;
  /** Rows it would drop whatever the filters before it say; null for the last bar. */
  readonly matches: number | null;
  readonly off: boolean;
  /** Beside the name: "−1,204 (24 %)". */
  readonly short: string;
  /** What is said of it. */
  readonly spoken: string;
}

/** The bars from top to bottom: what the user dropped (where there is any), the stage's filters, what is kept. */
export function barsOf(funnel: Funnel, { off }: Pick<CurationConfig, 'off'>): readonly FunnelBar[] {
  const { byHand } = funnel;
  let left = funnel.rows - byHand;
  const filters = curationFilters[funnel.stage].map((filter): FunnelBar => {
    const found = funnel.stages.find((one) => one.filter === filter);
    const stage: FunnelStage = found ?? { filter, entered: left, dropped: 0, matches: 0, undecided: 0, coverage: '' };
    left = stage.entered - stage.dropped;
    const isOff = off.includes(filter);
    const { name } = filterTexts[filter];
    const { entered, dropped, undecided, matches } = stage;
    return {
      list: filter,
      name,
      entered,
      dropped,
      undecided,
      matches,
      off: isOff,
      short: isOff ? texts.off : texts.droppedShort(dropped, entered),
      spoken: isOff ? `${name}: ${texts.off}` : spokenOf(funnel, name, stage),
    };
  });
  const { rows, kept, stage } = funnel;
  const share = percentText(rows === 0 ? null : kept / rows);
  const dropped: FunnelBar = {
    list: 'by hand',
    name: texts.byHand,
    entered: funnel.rows,
    dropped: byHand,
    undecided: 0,
    matches: null,
    off: false,
    short: texts.droppedShort(byHand, funnel.rows),
    spoken: `${texts.byHand}: ${countText(byHand)} of ${rowsText(funnel.stage, funnel.rows)}`,
  };
  return [
    ...(byHand === 0 ? [] : [dropped]),
    ...filters,
    {
      list: 'kept',
      name: texts.kept,
      entered: kept,
      dropped: 0,
      undecided: 0,
      matches: null,
      off: false,
      short: texts.keptShort(kept, rows),
      spoken: `${texts.kept}: ${countText(kept)} of ${rowsText(stage, rows)}, ${share}`,
    },
  ];
}

function spokenOf({ stage }: Funnel, name: string, { entered, dropped, undecided, matches }: FunnelStage): string {
  const share = entered === 0 ? '' : `, ${percentText(dropped / entered)}`;
  const parts = [
    `${name}: ${countText(dropped)} of ${rowsText(stage, entered)} dropped${share}`,
    ...(undecided === 0 ? [] : [`${countText(undecided)} undecided and kept`]),
    ...(matches === dropped ? [] : [`it would drop ${countText(matches)} alone`]),
  ];
  return parts.join('; ');
}

/** The funnel in a sentence or three. */
export function funnelSentence(funnel: Funnel): string {
  const { stage, rows, kept, stages, overruled } = funnel;
  if (rows === 0) return `These runs hold no ${stage === 'sft' ? 'trajectories' : 'prompts'}.`;
  const share = percentText(kept / rows);
  const drops = stages
    .filter(({ dropped }) => dropped > 0)
    .sort((one, other) => other.dropped - one.dropped)
    .map(({ filter, dropped }) => `${filterTexts[filter].name.toLowerCase()} ${countText(dropped)}`);
  const undecided = stages.reduce((most, one) => Math.max(most, one.undecided), 0);
  const unsure = stages.filter((one) => one.undecided > 0).map(({ filter }) => filterTexts[filter].name.toLowerCase());
  return [
    kept === rows
      ? rows === 1
        ? `The only ${rowNouns[stage]} is kept.`
        : `All ${rowsText(stage, rows)} are kept.`
      : `${countText(kept)} of ${rowsText(stage, rows)} ${kept === 1 || rows === 1 ? 'is' : 'are'} kept (${share}).`,
    ...(drops.length === 0 ? [] : [`Dropped: ${drops.join(', ')}.`]),
    ...(undecided === 0 ? [] : [`Not everything could be decided (${unsure.join(', ')}); such rows are kept.`]),
    ...(overruled === 0
      ? []
      : [`${overruled === 1 ? '1 row follows' : `${countText(overruled)} rows follow`} your own word.`]),
  ].join(' ');
}
