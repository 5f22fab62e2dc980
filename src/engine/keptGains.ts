/**
 * What models said of calls (information gain, counterfactual samples): a JSONL file beside the index, one call a line, by
 * a hash of what the rollout says, so that it outlives its log's place. The latest line of a call and model wins.
 * Leaves out how a gain is measured (src/replay/gain.ts) and how it is shown (flagReport.ts).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import type { KeptGain, LogprobVerdict } from '../protocol/replay.ts';
import { addLines, stampOf } from './lineFile.ts';

/** The gains of a storage folder. */
export interface KeptGains {
  /** Gains by the hash of what a rollout says (`contentHash`), in the order of their calls. */
  all(): Promise<ReadonlyMap<string, readonly KeptGain[]>>;
  /** UserError if they cannot be written. */
  keep(content: string, gains: readonly KeptGain[]): Promise<void>;
}

const fileName = 'replays.jsonl';
/** A file of fewer lines is never rewritten. */
const fewLines = 4_000;

interface Line {
  readonly content: string;
  readonly gain: KeptGain;
}

/** Opens the gains of a storage folder, which need not exist. Damaged lines are left out. */
export function openKeptGains(storage: string): KeptGains {
  const path = join(storage, fileName);
  let stamp = '';
  let known: ReadonlyMap<string, readonly KeptGain[]> = new Map();
  let lines = 0;
  const all = async (): Promise<ReadonlyMap<string, readonly KeptGain[]>> => {
    const now = await stampOf(path);
    if (now === stamp) return known;
    const text = await readFile(path, 'utf8').catch(() => '');
    const read = text.split('\n').filter((line) => line.trim() !== '');
    lines = read.length;
    known = latest(read.flatMap((line) => lineOf(line) ?? []));
    stamp = now;
    return known;
  };
  return {
    all,
    keep: async (content, gains) => {
      if (gains.length === 0) return;
      const added = gains.map((gain) => ({ content, gain }));
      await addLines(path, {
        lines: textOf(added),
        rewrite: async () => {
          const before = [...(await all())].flatMap(([hash, kept]) => kept.map((gain) => ({ content: hash, gain })));
          const isOld = lines + added.length > fewLines && lines > 2 * before.length;
          if (!isOld) return null;
          const whole = latest([...before, ...added]);
          return textOf([...whole].flatMap(([hash, kept]) => kept.map((gain) => ({ content: hash, gain }))));
        },
      }).catch((error: unknown) => {
        throw new UserError(
          `The replay could not be kept: ${messageOf(error)}.`,
          'Check the rights and the free space.',
        );
      });
      await all();
    },
  };
}

function textOf(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function latest(lines: readonly Line[]): ReadonlyMap<string, readonly KeptGain[]> {
  const byContent = new Map<string, Map<string, KeptGain>>();
  for (const { content, gain } of lines) {
    const own = byContent.get(content) ?? new Map<string, KeptGain>();
    const key = `${gain.call} ${gain.provenanceId}`;
    // Measured again without samples: those that were drawn before still stand.
    const without = gain.without ?? own.get(key)?.without ?? null;
    own.delete(key);
    own.set(key, { ...gain, without });
    byContent.set(content, own);
  }
  return new Map([...byContent].map(([content, own]) => [content, [...own.values()]]));
}

const verdicts: Readonly<Record<LogprobVerdict['verdict'], true>> = {
  same: true,
  near: true,
  different: true,
  'not logged': true,
};

function isVerdict(value: unknown): value is LogprobVerdict['verdict'] {
  return typeof value === 'string' && Object.hasOwn(verdicts, value);
}

function lineOf(text: string): Line | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { content } = value;
  const gain = keptGainOf(value['gain']);
  return typeof content === 'string' && /^[0-9a-f]{64}$/u.test(content) && gain !== null ? { content, gain } : null;
}

/** A gain as a file or a message has it; null where a field is missing or no number. */
export function keptGainOf(value: unknown): KeptGain | null {
  if (!isObject(value)) return null;
  const { call, withCall, withoutCall, gain, flagged, provenanceId, model, fits, without } = value;
  if (typeof call !== 'number' || !Number.isInteger(call) || call < 0) return null;
  if (typeof withCall !== 'number' || typeof withoutCall !== 'number' || typeof gain !== 'number') return null;
  if (typeof flagged !== 'boolean' || typeof provenanceId !== 'string' || typeof model !== 'string') return null;
  if (!isVerdict(fits)) return null;
  return { call, withCall, withoutCall, gain, flagged, provenanceId, model, fits, without: sharesOf(without) };
}

function sharesOf(value: unknown): KeptGain['without'] {
  if (!isObject(value)) return null;
  const { right, judged } = value;
  return typeof right === 'number' && typeof judged === 'number' ? { right, judged } : null;
}
