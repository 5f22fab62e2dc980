/**
 * What was said of rows, kept beside the index by hashes of what they say, so that it outlives the place of a log: the
 * user's own word, judgements of a judge, and tool-free samples that a model generated. One file each (keptLines.ts).
 * Leaves out how rows are named (contentOf.ts) and what judges are asked (judgeRows.ts).
 */
import { join } from 'node:path';
import { isObject, type Json } from '../../base/json.ts';
import type { CurationStage, Judgement, ToolFreeSamples } from '../../protocol/curation.ts';
import { openKeptLines, type KeptLines } from '../keptLines.ts';

/** The user's word on a row. */
export interface Overrule {
  readonly key: string;
  readonly verdict: 'keep' | 'drop';
}

/** A word, or its taking back. */
export type OverruleLine = Omit<Overrule, 'verdict'> & { readonly verdict: Overrule['verdict'] | null };

/** A judge's answer about a row, under one prompt. */
export interface KeptJudgement extends Judgement {
  /** Hash of judge and prompt. */
  readonly pair: string;
  /** What the row says, as a hash. */
  readonly row: string;
}

/** Which judge and prompt a stage goes by: the last that was asked. */
export interface ChosenJudge {
  readonly stage: CurationStage;
  readonly use: string;
  readonly judge: string;
}

/** A line of the file of judgements. */
export type JudgeLine = KeptJudgement | ChosenJudge;

/** Everything that is kept of rows. */
export interface KeptRows {
  readonly overrules: KeptLines<OverruleLine, Overrule>;
  readonly judgements: KeptLines<JudgeLine, JudgeLine>;
  readonly toolFree: KeptLines<ToolFreeSamples, ToolFreeSamples>;
}

const longestName = 300;

/** Opens what is kept in a storage folder; nothing is read yet. */
export function openKeptRows(storage: string): KeptRows {
  return {
    overrules: openKeptLines<OverruleLine, Overrule>(join(storage, 'overrules.jsonl'), {
      parse: ({ key, verdict = null }) =>
        typeof key === 'string' && isRowKey(key) && (verdict === null || verdict === 'keep' || verdict === 'drop')
          ? { key, verdict }
          : null,
      keyOf: ({ key }) => key,
      keptOf: ({ key, verdict }) => (verdict === null ? null : { key, verdict }),
    }),
    judgements: openKeptLines<JudgeLine, JudgeLine>(join(storage, 'judgements.jsonl'), {
      parse: (value) => judgeLine(value),
      keyOf: (line) => ('use' in line ? `use ${line.stage}` : judgementKey(line.pair, line.row)),
      keptOf: (line) => line,
    }),
    toolFree: openKeptLines<ToolFreeSamples, ToolFreeSamples>(join(storage, 'toolFree.jsonl'), {
      parse: (value) => toolFreeLine(value),
      keyOf: toolFreeKey,
      keptOf: (line) => line,
    }),
  };
}

/** 32 hexadecimal digits, and the ordinal of a repetition. */
export function isRowKey(key: string): boolean {
  return /^[0-9a-f]{32}(?:-\d{1,9})?$/u.test(key);
}

/** What a judgement is kept under. */
export function judgementKey(pair: string, row: string): string {
  return `${pair} ${row}`;
}

/** What generated samples are kept under: a prompt and a way of sampling. */
export function toolFreeKey({ key, provenanceId }: Pick<ToolFreeSamples, 'key' | 'provenanceId'>): string {
  return `${key} ${provenanceId}`;
}

function judgeLine(value: Readonly<Record<string, Json | undefined>>): JudgeLine | null {
  const { stage, use, judge, pair, row, score, reason } = value;
  if (typeof judge !== 'string' || judge.length > longestName) return null;
  if (typeof use === 'string') return stage === 'sft' || stage === 'rl' ? { stage, use, judge } : null;
  if (typeof pair !== 'string' || typeof row !== 'string' || typeof reason !== 'string') return null;
  return typeof score === 'number' && score >= 0 && score <= 1 ? { pair, row, score, reason, judge } : null;
}

function toolFreeLine(value: Readonly<Record<string, Json | undefined>>): ToolFreeSamples | null {
  const { key, model, provenanceId, samples } = value;
  if (typeof key !== 'string' || typeof model !== 'string' || typeof provenanceId !== 'string') return null;
  if (!Array.isArray(samples)) return null;
  const kept = (samples as readonly Json[]).flatMap((sample) => {
    if (!isObject(sample)) return [];
    const { text, answer = null, correct = null } = sample;
    if (typeof text !== 'string' || (answer !== null && typeof answer !== 'string')) return [];
    return correct === null || typeof correct === 'boolean' ? [{ text, answer, correct }] : [];
  });
  return { key, model, provenanceId, samples: kept };
}
