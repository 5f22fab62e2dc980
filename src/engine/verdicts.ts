/**
 * What the user said of flags: a JSONL file beside the index, one verdict a line, the last line of a flag wins and a null
 * verdict takes it back. Lines are appended; the file is rewritten (temporary name, then renamed) when most of it is old.
 * Several windows share it: it is read again when it changed, and changed under a lock file. Leaves out the flags.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { wilsonInterval } from '../analysis/intervals.ts';
import { messageOf, UserError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import type { RulePrecision, Verdict } from '../protocol/flags.ts';
import { addLines, replaceFile, stampOf } from './lineFile.ts';

/** A verdict as a line of the file. */
export interface KeptVerdict {
  /** Id of the flag. */
  readonly flag: string;
  readonly rule: string;
  readonly verdict: Verdict;
}

/** The verdicts of a storage folder. */
export interface Verdicts {
  /** All verdicts by flag, as they are now. */
  all(): Promise<ReadonlyMap<string, KeptVerdict>>;
  /** Keeps a verdict; null takes it back. UserError if it cannot be written. */
  set(flag: { readonly id: string; readonly rule: string }, verdict: Verdict | null): Promise<void>;
  /** Per rule that has a verdict, by its id. */
  precision(): Promise<readonly RulePrecision[]>;
  /** Writes all of them to a file; gives their number. */
  exportTo(path: string): Promise<number>;
  /** Adds those of a file, which win over what is kept; `added` counts flags. */
  importFrom(path: string): Promise<{ readonly added: number; readonly badLines: number }>;
}

const fileName = 'verdicts.jsonl';
/** A file of fewer lines is never rewritten. */
const fewLines = 1_000;
const mostImportBytes = 64_000_000;

/** Opens the verdicts of a storage folder, which need not exist. Damaged lines are left out. */
export function openVerdicts(storage: string): Verdicts {
  const path = join(storage, fileName);
  let stamp = '';
  let known: ReadonlyMap<string, KeptVerdict> = new Map();
  let lines = 0;

  const all = async (): Promise<ReadonlyMap<string, KeptVerdict>> => {
    const now = await stampOf(path);
    if (now === stamp) return known;
    const read = parsedLines(await readFile(path, 'utf8').catch(() => ''));
    known = latest(read.lines);
    lines = read.lines.length + read.badLines;
    stamp = now;
    return known;
  };

  const add = async (changes: readonly Line[]): Promise<void> => {
    await addLines(path, {
      lines: textOf(changes),
      rewrite: async () => {
        const before = await all();
        const isOld = lines + changes.length > fewLines && lines > 2 * before.size;
        return isOld ? textOf(latest([...before.values(), ...changes]).values()) : null;
      },
    });
    await all();
  };

  const kept = async (changes: readonly Line[]): Promise<void> => {
    await add(changes).catch((error: unknown) => {
      throw new UserError(
        `The verdict could not be kept: ${messageOf(error)}.`,
        'Check the rights and the free space.',
      );
    });
  };

  return {
    all,
    set: ({ id, rule }, verdict) => kept([{ flag: id, rule, verdict }]),
    precision: async () => precisionOf((await all()).values()),
    exportTo: async (target) => {
      const verdicts = [...(await all()).values()];
      await replaceFile(target, textOf(verdicts)).catch((error: unknown) => {
        throw new UserError(`${target} could not be written: ${messageOf(error)}.`, 'Choose another place.');
      });
      return verdicts.length;
    },
    importFrom: async (source) => {
      const read = parsedLines(await textToImport(source));
      if (read.lines.length > 0) await kept(read.lines);
      return { added: new Set(read.lines.map(({ flag }) => flag)).size, badLines: read.badLines };
    },
  };
}

/** Precision of each rule on these verdicts, by its id, with its 95 % Wilson interval. */
export function precisionOf(verdicts: Iterable<KeptVerdict>): readonly RulePrecision[] {
  const byRule = new Map<string, Record<Verdict, number>>();
  for (const { rule, verdict } of verdicts) {
    const counts = byRule.get(rule) ?? { confirmed: 0, dismissed: 0 };
    counts[verdict] += 1;
    byRule.set(rule, counts);
  }
  return [...byRule]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([rule, { confirmed, dismissed }]) => {
      const interval = wilsonInterval(confirmed, confirmed + dismissed);
      if (interval === null) return [];
      const { share: precision, low, high } = interval;
      return [{ rule, confirmed, dismissed, precision, low, high }];
    });
}

/** A line of the file; null takes a verdict back. */
interface Line extends Omit<KeptVerdict, 'verdict'> {
  readonly verdict: Verdict | null;
}

function latest(lines: Iterable<Line>): ReadonlyMap<string, KeptVerdict> {
  const verdicts = new Map<string, KeptVerdict>();
  for (const { flag, rule, verdict } of lines) {
    verdicts.delete(flag);
    if (verdict !== null) verdicts.set(flag, { flag, rule, verdict });
  }
  return verdicts;
}

function textOf(lines: Iterable<Line>): string {
  return Array.from(lines, ({ flag, rule, verdict }) => `${JSON.stringify({ flag, rule, verdict })}\n`).join('');
}

function parsedLines(text: string): { readonly lines: readonly Line[]; readonly badLines: number } {
  const lines: Line[] = [];
  let badLines = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const parsed = lineOf(line);
    if (parsed === null) badLines += 1;
    else lines.push(parsed);
  }
  return { lines, badLines };
}

function lineOf(text: string): Line | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { flag, rule, verdict = null } = value;
  if (typeof flag !== 'string' || typeof rule !== 'string') return null;
  if (!/^[0-9a-f]{32}$/u.test(flag) || rule === '' || rule.length > 100) return null;
  return verdict === null || verdict === 'confirmed' || verdict === 'dismissed' ? { flag, rule, verdict } : null;
}

async function textToImport(path: string): Promise<string> {
  const unreadable = (why: string): UserError =>
    new UserError(`${path} could not be imported: ${why}.`, 'Choose a file that was exported here.');
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(messageOf(error));
  });
  if (!found.isFile()) throw unreadable('it is no file');
  if (found.size > mostImportBytes) throw unreadable('it is larger than 64 MB');
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(messageOf(error));
  });
}
