// One damaged log from one seed: of its bytes, of its structure, of its container, of the archive it is. The same seed
// gives the same damage on every machine, as long as the fixtures are the same.
import { isObject } from '../../src/base/json.ts';
import type { Fixture } from '../unit/readers/fixtureFolders.ts';
import { mutateBytes, mutateStructure, type Random, randomFrom } from '../unit/readers/mutate.ts';
import { type MemberDraft, zipOf, zstdOf } from '../unit/readers/zipOf.ts';
import { rawValue } from './rawValues.ts';
import { damagedWrapping, type Wrapping } from './wrap.ts';

/** A fixture with what the damage needs of it. */
export interface Subject {
  readonly fixture: Fixture;
  /** The members of an archive; empty for other logs. */
  readonly members: readonly MemberDraft[];
  /** The log as a Parquet table; null where it is none. */
  readonly table: Buffer | null;
}

/** A damaged log. */
export interface Damaged {
  readonly subject: Subject;
  readonly bytes: Buffer;
  /** What was done, in a word or two. */
  readonly how: string;
  /** What the bytes are wrapped in; null for a log as readers see it. */
  readonly wrapping: Wrapping | null;
}

const below = (random: Random, count: number): number => Math.floor(random() * count);
const pick = <T>(random: Random, values: readonly T[]): T => {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
};

/** Largest log that is damaged: more would only make fewer cases. */
const mostBytes = 4 * 1024 * 1024;
/** Each costs a file, and some a query. */
const wrappedShare = 0.06;

/** The case of a seed. */
export function damagedLog(subjects: readonly Subject[], seed: number): Damaged {
  const random = randomFrom(Math.imul(seed, 2_654_435_761));
  const subject = pick(random, subjects);
  if (random() < wrappedShare && subject.members.length === 0) {
    const { bytes, wrapping } = damagedWrapping(subject.fixture.bytes, subject.table, random);
    return { subject, how: wrapping, bytes, wrapping };
  }
  const made = madeOf(subject, subjects, random);
  return { subject, how: made.how, bytes: made.bytes.subarray(0, mostBytes * 2), wrapping: null };
}

type Made = Pick<Damaged, 'bytes' | 'how'>;

function madeOf(subject: Subject, subjects: readonly Subject[], random: Random): Made {
  try {
    return subject.members.length > 0 ? archive(subject, random) : text(subject, subjects, random);
  } catch (error) {
    // A tree that damage made too deep to be walked or printed.
    if (!(error instanceof RangeError)) throw error;
    return { how: 'bytes', bytes: mutateBytes(subject.fixture.bytes, random) };
  }
}

function text({ fixture }: Subject, subjects: readonly Subject[], random: Random): Made {
  const source = fixture.bytes.toString('utf8');
  const kind = random();
  if (kind < 0.2) return { how: 'bytes', bytes: mutateBytes(fixture.bytes, random) };
  if (kind < 0.4) {
    const made = mutateStructure(source, fixture.kind, random);
    if (made !== null) return { how: 'values', bytes: Buffer.from(made) };
  }
  if (kind < 0.78) return { how: 'tree', bytes: Buffer.from(treeDamage(source, random)) };
  if (kind < 0.86) return { how: 'container', bytes: Buffer.from(otherContainer(source, random)) };
  if (kind < 0.92) return { how: 'encoding', bytes: otherEncoding(source, random) };
  if (kind < 0.96) {
    const other = pick(random, subjects).fixture.bytes;
    const head = fixture.bytes.subarray(0, below(random, fixture.bytes.length));
    return { how: 'splice', bytes: Buffer.concat([head, other.subarray(below(random, other.length))]) };
  }
  return { how: 'cut', bytes: fixture.bytes.subarray(0, below(random, fixture.bytes.length)) };
}

/** The records of a log: its lines, or its one document. */
function recordsOf(source: string): { readonly values: unknown[]; readonly kind: 'lines' | 'document' } {
  try {
    return { values: [JSON.parse(source) as unknown], kind: 'document' };
  } catch {
    const values = source.split('\n').flatMap((line) => {
      try {
        return line.trim() === '' ? [] : [JSON.parse(line) as unknown];
      } catch {
        return [];
      }
    });
    return { values, kind: 'lines' };
  }
}

/** A place in a tree. */
interface Slot {
  readonly get: () => unknown;
  readonly set: (value: unknown) => void;
  readonly remove: () => void;
  /** Gives the value another key; null for an item of an array. */
  readonly rename: ((key: string) => void) | null;
}

function slotsOf(root: unknown): Slot[] {
  const slots: Slot[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) {
      const items = value as unknown[];
      for (const [index, item] of items.entries()) {
        slots.push({
          get: () => items[index],
          set: (next) => (items[index] = next),
          remove: () => items.splice(index, 1),
          rename: null,
        });
        walk(item);
      }
    } else if (isObject(value)) {
      const record = value as { [key: string]: unknown };
      for (const key of Object.keys(record)) {
        slots.push({
          get: () => record[key],
          set: (next) => (record[key] = next),
          remove: () => delete record[key],
          rename: (other) => {
            const moved = record[key];
            delete record[key];
            record[other] = moved;
          },
        });
        walk(record[key]);
      }
    }
  };
  walk(root);
  return slots;
}

const keys = [
  'role',
  'content',
  'messages',
  'tool_calls',
  'arguments',
  'reward',
  'score',
  'scores',
  'step',
  'id',
  'group_id',
  'prompt',
  'response',
  'completion',
  'type',
  'events',
  'steps',
  'logprobs',
  'tokens',
  'images',
  '__proto__',
  'constructor',
  'length',
  '',
];
const mark = '\u0001RAW';

/** Up to six changes of the tree, then its text with raw values in it. */
function treeDamage(source: string, random: Random): string {
  const { values, kind } = recordsOf(source);
  if (values.length === 0) return source;
  const raw: string[] = [];
  for (let left = 1 + below(random, 6); left > 0; left--) {
    const slots = slotsOf(values);
    if (slots.length === 0) break;
    changeSlot(pick(random, slots), { slots, raw, random });
  }
  const print = (value: unknown): string => JSON.stringify(value) ?? 'null';
  const indent = random() < 0.3 ? 2 : undefined;
  let out =
    kind === 'lines'
      ? values.map((value) => `${print(value)}\n`).join('')
      : `${JSON.stringify(values[0] ?? null, null, indent)}\n`;
  for (const [index, value] of raw.entries()) {
    // A replacer function: a raw value may hold `$&`.
    out = out.replaceAll(JSON.stringify(`${mark}${index}`), () => value);
    if (out.length > mostBytes) break;
  }
  if (random() < 0.1) out = duplicateKey(out, random);
  return out;
}

interface Change {
  readonly slots: readonly Slot[];
  readonly raw: string[];
  readonly random: Random;
}

function changeSlot(slot: Slot, { slots, raw, random }: Change): void {
  const value = slot.get();
  switch (below(random, 14)) {
    case 0:
    case 1:
    case 2:
      slot.set(`${mark}${raw.push(rawValue(random)) - 1}`);
      return;
    case 3:
      slot.rename?.(pick(random, keys));
      return;
    case 4:
      slot.set([value]);
      return;
    case 5:
      slot.set({ [pick(random, keys)]: value });
      return;
    case 6:
      slot.set(typeof value === 'string' ? Number(value) : String(value));
      return;
    case 7:
      slot.set(JSON.stringify(value) ?? null);
      return;
    case 8:
      slot.set(structuredClone(pick(random, slots).get()));
      return;
    case 9:
      if (Array.isArray(value)) value.reverse();
      else slot.remove();
      return;
    case 10:
      if (Array.isArray(value) && value.length > 0) {
        const item: unknown = value[below(random, value.length)];
        const copies = pick(random, [2, 30, 1_000]);
        const size = (JSON.stringify(item) ?? '').length;
        for (let copy = 0; copy < copies && copy * size < 500_000; copy++) value.push(structuredClone(item));
      } else slot.remove();
      return;
    case 11:
      if (Array.isArray(value))
        value.splice(below(random, value.length + 1), 0, structuredClone(pick(random, slots).get()));
      else slot.set(null);
      return;
    case 12:
      slot.set(
        Array.isArray(value) ? { ...(value as unknown[]) } : isObject(value) ? Object.entries(value) : [[value]],
      );
      return;
    default:
      slot.set(typeof value === 'string' ? damagedText(value, random) : -Math.abs(Number(value)));
  }
}

const snippets = [
  '<tool_call>',
  '</tool_call>',
  '<think>',
  '</think>',
  '<|im_end|>',
  '<|im_start|>',
  '\u0000',
  '\ud800',
];

function damagedText(value: string, random: Random): string {
  const at = below(random, value.length + 1);
  switch (below(random, 4)) {
    case 0:
      return value.slice(0, at);
    case 1:
      return value.slice(0, at) + pick(random, snippets) + value.slice(at);
    case 2:
      return value.slice(at) + value.slice(0, at);
    default:
      return value.repeat(Math.min(50, Math.floor(200_000 / (value.length + 1))));
  }
}

/** Gives one key the name of another one, in the text, so that an object has it twice. */
function duplicateKey(source: string, random: Random): string {
  const found = [...source.slice(0, 100_000).matchAll(/"([a-z_]{1,20})":/gu)];
  if (found.length < 2) return source;
  const one = pick(random, found);
  const other = pick(random, found);
  return `${source.slice(0, one.index)}${other[0]}${source.slice(one.index + one[0].length)}`;
}

/** Lines as an array, a document as lines, records in an object, records in a record. */
function otherContainer(source: string, random: Random): string {
  const { values } = recordsOf(source);
  const items = values.length === 1 && Array.isArray(values[0]) ? (values[0] as unknown[]) : values;
  switch (below(random, 6)) {
    case 0:
      return JSON.stringify(items, null, random() < 0.5 ? 1 : undefined);
    case 1:
      return items.map((item) => `${JSON.stringify(item) ?? 'null'}\n`).join('');
    case 2:
      return JSON.stringify({ [pick(random, ['samples', 'data', 'simulations', 'trajectory'])]: items }, null, 1);
    case 3:
      return items.map((item) => JSON.stringify(item, null, 2) ?? 'null').join('\n');
    case 4:
      return items.map((item) => JSON.stringify(item) ?? 'null').join('');
    default:
      return `${JSON.stringify(items)}\n`.repeat(2);
  }
}

function otherEncoding(source: string, random: Random): Buffer {
  switch (below(random, 8)) {
    case 0:
      return Buffer.from(`\ufeff${source}`);
    case 1:
      return Buffer.from(source.replaceAll('\n', '\r\n'));
    case 2:
      return Buffer.from(source.replaceAll('\n', '\r'));
    case 3:
      return Buffer.from(source, 'utf16le');
    case 4:
      return Buffer.from(source, 'latin1');
    case 5:
      return Buffer.concat([Buffer.alloc(1 + below(random, 64)), Buffer.from(source)]);
    case 6:
      return Buffer.from(source.replaceAll('\n', '\u2028'));
    default:
      return Buffer.from(source.replaceAll(' ', random() < 0.5 ? '\t\n' : '\u00a0'));
  }
}

const names = [
  '../x.json',
  '/x.json',
  'samples/_epoch_.json',
  'samples/x_epoch_1/sample.json',
  '',
  'x\0y',
  'header.json',
];

/** An archive put together again with damaged members, or with damaged bytes. */
function archive({ fixture, members }: Subject, random: Random): Made {
  if (random() < 0.3) return { how: 'archive bytes', bytes: mutateBytes(fixture.bytes, random) };
  const drafts = members.map((member) => ({ ...member }));
  for (let left = 1 + below(random, 4); left > 0; left--) {
    const at = below(random, drafts.length);
    const draft = drafts[at];
    if (draft === undefined) continue;
    drafts[at] = { ...draft, ...memberDamage(draft, random) };
    if (random() < 0.1) drafts.splice(below(random, drafts.length + 1), 0, { ...draft });
    if (random() < 0.05) drafts.splice(below(random, drafts.length), 1);
    if (drafts.length === 0) return { how: 'archive', bytes: zipOf([]) };
  }
  const bytes = zipOf(drafts, random() < 0.1 ? 'PK\x05\x06'.repeat(below(random, 9)) : '');
  if (random() < 0.1) return { how: 'archive and bytes', bytes: mutateBytes(bytes, random) };
  return { how: 'archive', bytes };
}

function memberDamage(draft: MemberDraft, random: Random): Partial<MemberDraft> {
  const content = Buffer.from(draft.content).toString('utf8');
  switch (below(random, 12)) {
    case 0:
      return { name: pick(random, names) };
    case 1:
      return { lies: pick(random, lies) };
    case 2:
      return { packed: mutateBytes(zstdOf(Buffer.from(content), 1 + below(random, 4)), random), method: 93 };
    case 3:
      return { method: pick(random, [0, 8, 93]) };
    case 4:
      return { content: mutateBytes(Buffer.from(content), random) };
    case 5:
      return { content: rawValue(random) };
    case 6:
      return { content: mutateStructure(content, 'array', random) ?? '' };
    default:
      return { content: treeDamage(content, random) };
  }
}

const lies: readonly NonNullable<MemberDraft['lies']>[] = [
  { unpackedBytes: 0 },
  { unpackedBytes: 4_294_967_295 },
  { unpackedBytes: 100_000_000 },
  { packedBytes: 0 },
  { packedBytes: 4_294_967_295 },
  { packedBytes: 10 },
  { offset: 0 },
  { offset: 4_294_967_295 },
  { offset: 33 },
  { checksum: 7 },
  { method: 0 },
  { method: 8 },
  { method: 93 },
  { method: 99 },
  { encrypted: true },
];
