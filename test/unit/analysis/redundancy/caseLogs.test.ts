/**
 * The corpus behind the readers: every case that a format can carry is written in that format, read by its reader, and
 * must be judged as the case says. Prints how many cases of each rule each format carried; a rule that fewer than three
 * formats can show fails, unless only fewer can.
 */
import { describe, expect, it } from 'vitest';
import { flagRollout, rules } from '../../../../src/analysis/redundancy/all.ts';
import { callFacts } from '../../../../src/analysis/redundancy/callFacts.ts';
import { defaultThresholds } from '../../../../src/model/ruleThresholds.ts';
import type { Call, Rollout } from '../../../../src/model/rollout.ts';
import { claimOf } from '../../readers/fixtureFolders.ts';
import { readAll } from '../../readers/readAll.ts';
import { caseFormats, type CaseFormat } from './caseLogs.ts';
import { corpus, neverFlagged, rolloutOf, type Case } from './corpusCases.ts';

/** Formats in which a flag of the rule can be logged at all: only a tool server that refuses repeats says so. */
const formatsNeeded: Readonly<Record<string, number>> = { refused: 2 };

/** The case as this format's reader gives it; null where the format cannot say all of it. */
async function readBack(one: Case, format: CaseFormat): Promise<Rollout | null> {
  const bytes = format.write(one);
  const claim = await claimOf(format.file, bytes);
  if (claim === null) throw new Error(`nobody reads what was written as ${format.name}`);
  const { rollouts } = await readAll(claim, bytes, { name: format.file });
  const [rollout] = rollouts;
  if (rollout === undefined) throw new Error(`${format.name} holds no rollout`);
  return isSame(one, rolloutOf(one), rollout) ? rollout : null;
}

/** True where nothing that a rule may look at was lost: calls, their outcomes and pictures, answers, and the producer. */
function isSame(one: Case, wanted: Rollout, got: Rollout): boolean {
  // In Metis logs an answer block is worth more: only cases that say they are from there hold for it.
  const isMetis = got.producer.startsWith('Metis');
  if (one.producer === undefined ? isMetis && answers(wanted) > 0 : one.producer.startsWith('Metis') !== isMetis) {
    return false;
  }
  const images = (rollout: Rollout): string => rollout.images.map(({ origin, base64 }) => `${origin} ${base64}`).join();
  if (order(wanted) !== order(got) || answers(wanted) !== answers(got) || images(wanted) !== images(got)) return false;
  if (wanted.calls.length !== got.calls.length) return false;
  return wanted.calls.every((call, index) => isSameCall(call, got.calls[index]));
}

function isSameCall(wanted: Call, got: Call | undefined): boolean {
  if (got === undefined || wanted.tool !== got.tool || wanted.control !== got.control) return false;
  const outcome = ({ outcome }: Call): string => (outcome === 'unknown' ? 'ok' : outcome);
  const said = (call: Call): string => call.observation.replace(/^Error: /u, '').trim();
  const given = (call: Call): string => (call.outcome === 'malformed' ? '' : JSON.stringify(call.arguments ?? {}));
  if (wanted.failure !== null && got.failure?.includes(wanted.failure) !== true) return false;
  return outcome(wanted) === outcome(got) && said(wanted) === said(got) && given(wanted) === given(got);
}

/** Whether words stand before or behind the calls of their turn: most formats keep them apart. */
function order({ turns }: Rollout): string {
  const kinds = turns.flatMap(({ role, parts }) =>
    role === 'policy' ? [parts.map(({ kind }) => (kind === 'call' ? 'call' : 'words')).join(' ')] : [],
  );
  return kinds.map((kind) => kind.replaceAll(/words(?: words)+/gu, 'words')).join('; ');
}

function answers({ turns }: Rollout): number {
  return turns.flatMap(({ parts }) => parts).filter((part) => part.kind === 'answer').length;
}

const carried = new Map<string, { readonly flagged: Set<string>; readonly counts: Map<string, number> }>();

describe.each(caseFormats.map((format) => [format.name, format] as const))('%s', (name, format) => {
  it.each(corpus)('$rule', async ({ rule: id, cases }) => {
    const rule = rules.find((one) => one.id === id);
    const tally = carried.get(id) ?? { flagged: new Set<string>(), counts: new Map<string, number>() };
    carried.set(id, tally);
    for (const one of cases) {
      const rollout = await readBack(one, format);
      if (rollout === null) continue;
      const flags = rule?.flag(callFacts(rollout), defaultThresholds) ?? [];
      const found = Object.fromEntries(flags.map(({ call, confidence }) => [String(call), confidence]));
      expect(found, `${id}: ${one.name}`).toEqual(one.flagged);
      tally.counts.set(name, (tally.counts.get(name) ?? 0) + 1);
      if (flags.length > 0) tally.flagged.add(name);
    }
  });

  it('flags nothing that must not be flagged', async () => {
    let count = 0;
    for (const one of neverFlagged) {
      const rollout = await readBack(one, format);
      if (rollout === null) continue;
      count += 1;
      expect(
        flagRollout(rollout).filter(({ confidence }) => confidence !== 'hint'),
        one.name,
      ).toEqual([]);
    }
    expect(count).toBeGreaterThan(5);
  });
});

it('shows every rule in three formats or more', () => {
  const lines = [...carried].map(([rule, { counts }]) => {
    const list = caseFormats.map(({ name }) => `${name} ${counts.get(name) ?? 0}`);
    return `${rule.padEnd(20)} ${list.join(', ')}`;
  });
  console.log(lines.join('\n'));
  for (const [rule, { flagged }] of carried) {
    expect(flagged.size, `formats with a flag of ${rule}`).toBeGreaterThanOrEqual(formatsNeeded[rule] ?? 3);
  }
});
