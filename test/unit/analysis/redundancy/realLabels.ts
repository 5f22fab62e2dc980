/**
 * The labels of test/fixtures/redundancy/realLabels.jsonl (one flag of a real log a line, judged by reading the episode)
 * and the part of REAL.md that is counted from them. Leaves out the logs themselves (realFlags.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wilsonInterval } from '../../../../src/analysis/intervals.ts';
import { rules } from '../../../../src/analysis/redundancy/all.ts';

const folder = join(import.meta.dirname, '../../../fixtures/redundancy');
/** Where the precision on real logs is written down. */
export const reportPath = join(folder, 'REAL.md');

/** One judged call of a real log. */
export interface RealLabel {
  readonly producer: string;
  /** Log, relative to the folder of real logs, and row. */
  readonly ref: string;
  /** Null where the rule proves only a number of calls (`sibling`). */
  readonly call: number | null;
  readonly rule: string;
  /** Null for a call that no rule has ever flagged. */
  readonly confidence: string | null;
  /** `right`: a careful reader calls it redundant, as the rule says. */
  readonly label: 'right' | 'wrong';
  /** False for what is not flagged: found wrong and fixed (`wrong`), or missed (`right`). */
  readonly flagged: boolean;
  readonly reason: string;
}

/** All labels, in the order of the file. */
export const realLabels: readonly RealLabel[] = readFileSync(join(folder, 'realLabels.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as RealLabel);

/** What one label, or one flag, is about. */
export function keyOf({ ref, call, rule }: Pick<RealLabel, 'ref' | 'call' | 'rule'>): string {
  return `${ref} ${call ?? 'number'} ${rule}`;
}

/** The two tables of REAL.md: precision by rule and confidence, and where each judged call lies. */
export function labelTables(): string {
  const ids = [...rules.map(({ id }) => id), 'sibling'];
  const confidences = ['certain', 'likely', 'hint'];
  const flagged = realLabels.filter((one) => one.flagged);
  const precision = ids.flatMap((id) => {
    const ofRule = flagged.filter(({ rule }) => rule === id);
    if (ofRule.length === 0) return [`| \`${id}\` | – | 0 | | no flag in these logs |`];
    return confidences.flatMap((confidence) => {
      const some = ofRule.filter((one) => one.confidence === confidence);
      const right = some.filter(({ label }) => label === 'right').length;
      const share = wilsonInterval(right, some.length);
      if (share === null) return [];
      const [value, low, high] = [share.share, share.low, share.high].map((part) => part.toFixed(2));
      return [`| \`${id}\` | ${confidence} | ${some.length} | ${right} | ${value} (${low} to ${high}) |`];
    });
  });
  const kinds = [
    { name: 'right', wanted: { flagged: true, label: 'right' } },
    { name: 'wrong', wanted: { flagged: true, label: 'wrong' } },
    { name: 'missed', wanted: { flagged: false, label: 'right' } },
  ] as const;
  const places = ids.flatMap((id) =>
    kinds.flatMap(({ name, wanted }) => {
      const some = realLabels.filter(
        ({ rule, flagged: is, label }) => rule === id && is === wanted.flagged && label === wanted.label,
      );
      return some.length === 0 ? [] : [`| \`${id}\` | ${name} | ${placesOf(some)} |`];
    }),
  );
  return [
    '| rule | confidence | flags read | right | precision (95 % Wilson) |',
    '| --- | --- | --- | --- | --- |',
    ...precision,
    '',
    '| rule | judged | log row: calls |',
    '| --- | --- | --- |',
    ...places,
  ].join('\n');
}

function placesOf(labels: readonly RealLabel[]): string {
  const byRow = new Map<string, (number | null)[]>();
  for (const { ref, call } of labels) byRow.set(ref, [...(byRow.get(ref) ?? []), call]);
  let last = '';
  return [...byRow]
    .map(([ref, calls]) => {
      const at = ref.lastIndexOf(':');
      const [log, row] = [ref.slice(0, at), ref.slice(at + 1)];
      const name = log === last ? '' : `${log} `;
      last = log;
      const given = calls.filter((call) => call !== null);
      return `${name}${row}${given.length > 0 ? `: ${given.join(', ')}` : ''}`;
    })
    .join('; ');
}
