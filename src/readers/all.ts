/**
 * The list of log formats and who a file belongs to. A new format is one import and one line here.
 * Owned by detection. Leaves out the formats that are only named (otherFormats.ts).
 */
import type { NoteCode } from '../model/note.ts';
import { describeOther } from './otherFormats.ts';
import { inspectReader } from './inspect.ts';
import { atifReader } from './atif.ts';
import { miniSweAgentReader } from './miniSweAgent.ts';
import { openHandsReader } from './openHands.ts';
import { rllmReader } from './rllm.ts';
import { sweAgentReader } from './sweAgent.ts';
import { tau2Reader } from './tau2.ts';
import { verifiersReader } from './verifiers.ts';
import { verifiersTraceReader } from './verifiersTrace.ts';
import { skyrlReader } from './skyrl.ts';
import { arealReader } from './areal.ts';
import { rollReader } from './roll.ts';
import { agentSessionReader } from './agentSession.ts';
import { chatListReader } from './chatLists.ts';
import { genericReader } from './generic.ts';
import type { FormatId, Head, Reader, Recognition } from './reader.ts';
import { nemoRlReader } from './nemoRl.ts';
import { nemoGymReader } from './nemoGym.ts';
import { msSwiftReader } from './msSwift.ts';
import { trlReader } from './trl.ts';
import { atroposReader } from './atropos.ts';
import { openInstructReader } from './openInstruct.ts';
import { tinkerReader } from './tinker.ts';
import { rlLoggingBoardReader } from './rlLoggingBoard.ts';
import { easyR1Reader } from './easyR1.ts';
import { tauBenchReader } from './tauBench.ts';
import { verlReader } from './verl.ts';
import { verlArrayReader } from './verlArray.ts';

/** Every reader; a file is claimed by exactly one of them, or by the last, the catch-all (fixtures.test.ts). */
export const readers: readonly Reader[] = [
  inspectReader,
  verlReader,
  verlArrayReader,
  tauBenchReader,
  atifReader,
  miniSweAgentReader,
  sweAgentReader,
  tau2Reader,
  openHandsReader,
  rllmReader,
  verifiersTraceReader,
  verifiersReader,
  nemoRlReader,
  nemoGymReader,
  msSwiftReader,
  trlReader,
  atroposReader,
  openInstructReader,
  tinkerReader,
  rlLoggingBoardReader,
  easyR1Reader,
  skyrlReader,
  arealReader,
  rollReader,
  agentSessionReader,
  chatListReader,
  genericReader,
];

/** What a file is: read by a reader, named but not read, or unknown. */
export type Recognised =
  | { readonly kind: 'read'; readonly reader: Reader; readonly recognition: Recognition }
  | { readonly kind: 'named'; readonly reader: null; readonly code: NoteCode; readonly description: string }
  | { readonly kind: 'unknown'; readonly reader: null; readonly code: NoteCode; readonly description: string };

/** Says what a file is by its head. Never throws. */
export function recognise(head: Head): Recognised {
  for (const reader of readers) {
    // The catch-all is asked when nobody else, not even the table of named formats, knows the file.
    const other = reader === genericReader ? describeOther(head) : null;
    if (other !== null) return { kind: 'named', reader: null, ...other };
    const recognition = reader.recognise(head);
    if (recognition !== null) return { kind: 'read', reader, recognition };
  }
  const description = head.bytes.length === 0 ? 'an empty file' : 'unknown';
  return { kind: 'unknown', reader: null, code: 'unknown-format', description };
}

/** The reader of a format; null if there is none (an index of a newer version). */
export function readerOf(format: FormatId): Reader | null {
  return readers.find((reader) => reader.format === format) ?? null;
}
