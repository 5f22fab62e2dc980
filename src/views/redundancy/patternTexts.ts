/**
 * What the rows of "Redundant Calls" say: label, description (about 30 characters are visible), the sentence of a screen
 * reader, and the tooltip as lines. Pure; names of tools come from logs and appear as plain text only.
 * Leaves out the rows themselves (redundantTree.ts).
 */
import { countText, durationText, percentText } from '../../base/numberText.ts';
import type { Translator } from '../../host/translator.ts';
import type { RolloutRow, RunSummary } from '../../protocol/engine.ts';
import type { FlagPattern, RedundancyOverview, RulePrecision } from '../../protocol/flags.ts';
import { redundancyText, verdictSign } from '../../protocol/texts.ts';

/** The texts of one row. */
export interface RowTexts {
  readonly label: string;
  readonly description: string;
  readonly spoken: string;
  readonly tooltip: readonly string[];
}

/** "1,204 of 9,310 (13 %)": flagged and all calls. */
export function totalText({ calls, flagged }: RedundancyOverview, l10n: Translator): string {
  return l10n.t(
    '{0} of {1} ({2})',
    countText(flagged),
    countText(calls),
    percentText(calls === 0 ? null : flagged / calls),
  );
}

/** The two parts of the total, which mean different things. */
export function totalLines({ calls, intrinsic, sibling }: RedundancyOverview, l10n: Translator): readonly string[] {
  return [
    l10n.t('{0} calls', countText(calls)),
    l10n.t('{0} flagged on the evidence of their own rollout', countText(intrinsic)),
    l10n.t('{0} that right siblings did without (rises as a policy starts to answer directly)', countText(sibling)),
  ];
}

/** What a row of a pattern needs besides the pattern. */
export interface PatternFacts {
  readonly hasSteps: boolean;
  /** How often the user agreed with the rule; null without a verdict. */
  readonly precision: RulePrecision | null;
  readonly l10n: Translator;
}

/** "python · repeats an earlier call" with "412 · steps 1–20 · 4 min". */
export function patternTexts(pattern: FlagPattern, { hasSteps, precision, l10n }: PatternFacts): RowTexts {
  const { tool, rule, calls, rollouts, latencyMs } = pattern;
  const said = redundancyText([rule]);
  // Siblings prove a number of calls, of whatever tool.
  const label = rule === 'sibling' && tool === null ? said : `${tool ?? l10n.t('no tool named')} · ${said}`;
  const steps = hasSteps ? stepsText(pattern, l10n) : '';
  const time = latencyMs === null || latencyMs === 0 ? '' : durationText(latencyMs);
  const agreed = precision === null ? '' : l10n.t('precision {0}', percentText(precision.precision));
  const description = joined([countText(calls), steps, time, agreed], ' · ');
  const counted = l10n.t(
    '{0} in {1}',
    calls === 1 ? l10n.t('1 call') : l10n.t('{0} calls', countText(calls)),
    rollouts === 1 ? l10n.t('1 rollout') : l10n.t('{0} rollouts', countText(rollouts)),
  );
  return {
    label,
    description,
    spoken: joined([label, counted, steps, time === '' ? '' : l10n.t('{0} wasted', time), agreed], ', '),
    tooltip: [
      label,
      l10n.t('rule {0}', rule),
      joined([counted, steps], ', '),
      time === '' ? l10n.t('latency not logged') : l10n.t('{0} wasted', time),
      precision === null ? l10n.t('no verdict of yours on this rule yet') : precisionText(precision, l10n),
      l10n.t('Click to list its rollouts in Runs, the most wasted time first.'),
    ],
  };
}

function stepsText({ firstStep, lastStep }: FlagPattern, l10n: Translator): string {
  return firstStep === lastStep ? l10n.t('step {0}', firstStep) : l10n.t('steps {0}–{1}', firstStep, lastStep);
}

/** "precision 75 % on your verdicts: 6 confirmed, 2 dismissed (95 % interval 41 % to 93 %)". */
export function precisionText({ confirmed, dismissed, precision, low, high }: RulePrecision, l10n: Translator): string {
  return l10n.t(
    'precision {0} on your verdicts: {1} confirmed, {2} dismissed (95 % interval {3} to {4})',
    percentText(precision),
    countText(confirmed),
    countText(dismissed),
    percentText(low),
    percentText(high),
  );
}

/** A run above its patterns. */
export function runTexts(run: RunSummary, overview: RedundancyOverview, l10n: Translator): RowTexts {
  const total = totalText(overview, l10n);
  const spoken = l10n.t('Run {0}, redundant calls: {1}', run.name, total);
  return { label: run.name, description: total, spoken, tooltip: [run.path, ...totalLines(overview, l10n)] };
}

/** One of the worst offenders: "step 17 #5" with "⚠ 3 · 1.8 s · 48 × 7 = ?". */
export function offenderTexts(row: RolloutRow, { hasSteps, l10n }: Pick<PatternFacts, 'hasSteps' | 'l10n'>): RowTexts {
  const label = hasSteps ? l10n.t('step {0} #{1}', row.step, row.member) : `#${row.member}`;
  const time = row.wastedMs === null ? '' : durationText(row.wastedMs);
  const sign = row.correct === null ? '' : verdictSign(row.correct);
  const flagged = l10n.t('{0} of {1} calls redundant', countText(row.redundantCalls), countText(row.calls));
  return {
    label,
    description: joined([`⚠ ${countText(row.redundantCalls)}`, time, sign, row.question], ' · '),
    spoken: joined([label, flagged, time === '' ? '' : l10n.t('{0} wasted', time), row.question], ', '),
    tooltip: [
      row.question,
      joined([flagged, time === '' ? l10n.t('latency not logged') : l10n.t('{0} wasted', time)], ', '),
    ],
  };
}

function joined(parts: readonly string[], separator: string): string {
  return parts.filter((part) => part !== '').join(separator);
}
