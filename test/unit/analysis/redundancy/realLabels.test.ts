/**
 * The precision of the rules on logs that nobody here wrote: every flag in them is labelled, every label is still true,
 * and REAL.md says what is counted from them (UPDATE_FIXTURES=1 writes its tables). Prints the flags by log and rule.
 * Where the logs are not there, this says so and holds REAL.md to the labels only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagsOf, realFolder, realIsThere, realRollouts } from './realFlags.ts';
import { keyOf, labelTables, realLabels, reportPath } from './realLabels.ts';

if (!realIsThere) console.log(`skipped: no real logs at ${realFolder}`);

const [begin, end] = ['<!-- counted from realLabels.jsonl -->', '<!-- end of what is counted -->'];

describe('REAL.md', () => {
  it('says what the labels say', () => {
    const report = readFileSync(reportPath, 'utf8');
    const [before = '', rest = ''] = report.split(begin);
    const [, after = ''] = rest.split(end);
    const wanted = `${before}${begin}\n\n${labelTables()}\n\n${end}${after}`;
    console.log(labelTables());
    if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(reportPath, wanted);
    else expect(report).toBe(wanted);
  });

  it('holds nothing of the logs but places: a reason is short, and each call is judged once', () => {
    expect(realLabels.filter(({ reason }) => reason.length === 0 || reason.length > 120)).toEqual([]);
    expect(new Set(realLabels.map(keyOf)).size).toBe(realLabels.length);
  });
});

describe.skipIf(!realIsThere)('flags in real logs', async () => {
  const rollouts = realIsThere ? await realRollouts() : [];
  const flags = flagsOf(rollouts).map((flag) => ({ ...flag, ref: `${flag.file}:${flag.row}` }));
  const labelled = realLabels.filter((one) => one.flagged);
  const nameOf = (one: Parameters<typeof keyOf>[0] & { readonly confidence: string | null }): string =>
    `${keyOf(one)} ${one.confidence}`;

  it('prints the flags by log and rule', () => {
    for (const file of new Set(rollouts.map((one) => one.file))) {
      const own = rollouts.filter((one) => one.file === file);
      const calls = own.reduce((sum, { rollout }) => sum + rollout.calls.length, 0);
      const counts = new Map<string, number>();
      for (const { rule, file: at } of flags) if (at === file) counts.set(rule, (counts.get(rule) ?? 0) + 1);
      const list = [...counts].map(([rule, count]) => `${rule} ${count}`).join(', ');
      console.log(`${file}: ${own.length} rollouts, ${calls} calls; ${list === '' ? 'no flags' : list}`);
    }
    expect(flags.length).toBeGreaterThan(30);
  });

  it('are all labelled, and no labelled flag has gone', () => {
    expect(flags.map(nameOf).sort()).toEqual(labelled.map(nameOf).sort());
  });

  it('do not come back where they were wrong, and a call that was missed is labelled again once it is found', () => {
    const found = new Set(flags.map(keyOf));
    expect(realLabels.filter((one) => !one.flagged && found.has(keyOf(one)))).toEqual([]);
  });

  it('lie where the labels say: the log, the row and the call are there, from the producer that is named', () => {
    const byRef = new Map(rollouts.map(({ file, row, rollout }) => [`${file}:${row}`, rollout]));
    for (const { ref, call, producer } of realLabels) {
      const rollout = byRef.get(ref);
      expect(rollout?.producer, ref).toBe(producer);
      if (call !== null) expect(rollout?.calls[call], `${ref} call ${call}`).toBeDefined();
    }
  });
});
