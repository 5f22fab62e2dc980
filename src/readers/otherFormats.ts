/**
 * Formats that are recognised but not read, as a table: what is named helps people who open the wrong file, and a new
 * reader deletes its line here. The rules are those of formats.md 10.2, first match wins; all.ts asks the readers first.
 * Owned by detection. Leaves out everything a reader claims.
 */
import { isObject, type JsonObject } from '../base/json.ts';
import type { NoteCode } from '../model/note.ts';
import { asBuffer } from './parseJson.ts';
import type { Head } from './reader.ts';

/** One row: all tests that are given must hold. */
export interface OtherFormat {
  /** For people, with its article: "a torch save". */
  readonly name: string;
  readonly verdict: 'not read yet' | 'not rollouts' | 'refused';
  /** What the verdict means here, for people; "not read yet" where it is not given. */
  readonly because?: string;
  readonly container?: Head['container'] | 'json';
  /** First bytes, as latin1. */
  readonly magic?: string;
  /** The first record has all of these keys. */
  readonly keys?: readonly string[];
  /** The first record has at least one of these keys. */
  readonly anyKey?: readonly string[];
  /** The file's base name; only where the bytes alone cannot tell. */
  readonly fileName?: RegExp;
  /** Found in the first 64 KB or in the tail, read as latin1. */
  readonly text?: RegExp;
  /** A look at the first record's values; a record too long for the head is judged by `keys` alone. */
  readonly where?: (first: JsonObject) => boolean;
}

/** What a file is called and why it is not read. */
export interface OtherDescription {
  readonly code: NoteCode;
  /** "a torch save: refused, since reading one can run code". */
  readonly description: string;
}

const pickleRisk = [
  'refused, since reading a pickle can run code;',
  'have the program that wrote it write JSON lines: {"step": 1, "prompt": "…", "response": "…", "reward": 1.0}',
].join(' ');
/** What to do instead: our reader of JSON lines finds step, group, prompt, response and reward by these names. */
const slimeConverter = [
  'refused, since reading a pickle can run code; convert the files that you trust to JSON lines:',
  `python -c 'import json, sys, torch; dump = torch.load(sys.argv[1], map_location="cpu", weights_only=False);`,
  `[print(json.dumps({"step": dump["rollout_id"], **sample}, default=str)) for sample in dump["samples"]]'`,
  '0.pt > 0.jsonl',
].join(' ');
/** SkyRL takes rewards and uids out of the batch before it dumps it; the response is the end of a row of `sequences`. */
const skyrlConverter = [
  'refused, since reading a pickle can run code; convert the files that you trust, where SkyRL is installed',
  '(token ids become text by the tokenizer of MODEL; rewards are not in it, advantages are):',
  `python -c 'import json, pickle, re, sys; from transformers import AutoTokenizer; text = AutoTokenizer.from_pretrained(sys.argv[2]).decode;`,
  `batch = pickle.load(open(sys.argv[1], "rb")); step = int(re.search(r"step_(\\d+)", sys.argv[1])[1]);`,
  '[print(json.dumps({"step": step, "prompt": text([t for t, k, r in zip(ids, seen, [0] * (len(ids) - len(mask)) + mask) if k and not r]),',
  '"response": text([t for t, r in zip(ids[-len(mask):], mask) if r]), "advantage": max(adv, key=abs)}))',
  'for ids, seen, mask, adv in zip(*(batch[key].tolist() for key in ("sequences", "attention_mask", "response_mask", "advantages")))]\'',
  'global_step_1_training_input.pkl MODEL > 1.jsonl',
  '— or open the dumped_evals folder beside it, or add to the training step:',
  'log.write(json.dumps({"step": step, "uid": uid, "prompt": prompt, "response": response, "reward": reward}) + "\\n")',
].join(' ');
const oneEventAFile = 'one event of an episode, read with the first event of its folder';

/** The rules, most telling first. */
export const otherFormats: readonly OtherFormat[] = [
  // Magic bytes.
  { name: 'a TensorBoard event file', verdict: 'not rollouts', fileName: /events\.out\.tfevents/ },
  {
    name: 'a slime rollout dump',
    verdict: 'refused',
    because: slimeConverter,
    magic: 'PK\x03\x04',
    text: /data\.pkl[\s\S]*rollout_id[\s\S]*samples/,
  },
  { name: 'a torch save', verdict: 'refused', because: pickleRisk, magic: 'PK\x03\x04', text: /data\.pkl/ },
  { name: 'a zip archive', verdict: 'not read yet', magic: 'PK\x03\x04' },
  { name: 'an empty zip archive', verdict: 'not rollouts', magic: 'PK\x05\x06' },
  {
    name: 'an encrypted Parquet table',
    verdict: 'refused',
    because: 'not read, since its key is not here',
    magic: 'PARE',
  },
  {
    name: 'a SkyRL training batch',
    verdict: 'refused',
    because: skyrlConverter,
    fileName: /training_input\.pkl$/,
    text: /^\x80[\x02-\x05]/,
  },
  {
    name: 'a SkyRL training batch',
    verdict: 'refused',
    because: skyrlConverter,
    text: /^\x80[\x02-\x05][\s\S]{0,200}(?:TrainingInputBatch|TensorBatch)/,
  },
  { name: 'a pickle', verdict: 'refused', because: pickleRisk, text: /^\x80[\x02-\x05]/ },
  {
    name: 'a Git LFS pointer',
    verdict: 'not read yet',
    because: 'the file itself is not here yet (run "git lfs pull")',
    magic: 'version https://git-lfs.github.com/spec/',
  },
  { name: 'a SQLite database', verdict: 'not rollouts', magic: 'SQLite format 3\0' },
  {
    name: 'UTF-16 text',
    verdict: 'not read yet',
    because: 'not read yet (save it as UTF-8)',
    text: /^(\xff\xfe|\xfe\xff)/,
  },

  // Documents: one JSON object or one array.
  {
    name: 'a part of an ATIF trajectory',
    verdict: 'not rollouts',
    because: 'read with the trajectory that it continues or that started it',
    container: 'json',
    keys: ['schema_version'],
    text: /"schema_version"\s*:\s*"ATIF-/,
  },
  {
    name: 'a tau2-bench index',
    verdict: 'not rollouts',
    because: 'its rollouts are in the folder "simulations" beside it',
    container: 'json',
    keys: ['info', 'tasks', 'simulation_index'],
  },
  {
    name: 'an OpenHands event',
    verdict: 'not read yet',
    because: oneEventAFile,
    container: 'json',
    keys: ['id', 'source', 'timestamp'],
    anyKey: ['action', 'observation'],
  },
  {
    name: 'an OpenHands event',
    verdict: 'not read yet',
    because: oneEventAFile,
    container: 'json',
    keys: ['kind', 'source'],
    where: (first) => typeof first['kind'] === 'string' && first['kind'].endsWith('Event'),
  },
  {
    name: 'a wandb table',
    verdict: 'not read yet',
    container: 'json',
    keys: ['columns', 'data'],
    where: (first) => Array.isArray(first['columns']) && Array.isArray(first['data']),
  },

  // Lines, in the order of the table in formats.md 10.2.
  {
    name: 'verl file logger metrics',
    verdict: 'not rollouts',
    container: 'jsonl',
    where: isVerlMetrics,
  },
  {
    name: 'prime-rl metrics',
    verdict: 'not rollouts',
    container: 'jsonl',
    where: isTimedMetrics,
  },
];

/** Names a file that no reader claims; null if it is unknown. Never throws. */
export function describeOther(head: Head): OtherDescription | null {
  const text = asBuffer(head.bytes).toString('latin1', 0, 64 * 1024);
  const tail = head.tail === undefined ? '' : asBuffer(head.tail).toString('latin1');
  const found = otherFormats.find((format) => matches(format, head, { text, tail }));
  return found === undefined ? null : describe(found);
}

function describe(format: OtherFormat): OtherDescription {
  const code = format.verdict === 'not rollouts' ? 'not-rollouts' : 'format-not-read-yet';
  return { code, description: `${format.name}: ${format.because ?? format.verdict}` };
}

function matches(format: OtherFormat, head: Head, bytes: { readonly text: string; readonly tail: string }): boolean {
  const { container, magic, keys, anyKey, fileName, text, where } = format;
  if (container !== undefined && !isContainer(container, head.container)) return false;
  if (magic !== undefined && !bytes.text.startsWith(magic)) return false;
  if (keys !== undefined && !keys.every((key) => head.keys.has(key))) return false;
  if (anyKey !== undefined && !anyKey.some((key) => head.keys.has(key))) return false;
  if (fileName !== undefined && !fileName.test(head.name)) return false;
  if (text !== undefined && !text.test(bytes.text) && !text.test(bytes.tail)) return false;
  if (where !== undefined && !holds(where, head.first, keys !== undefined ? 'judge by keys' : 'no match')) return false;
  return true;
}

function holds(
  where: (first: JsonObject) => boolean,
  first: unknown,
  unknownFirst: 'judge by keys' | 'no match',
): boolean {
  if (first === null) return unknownFirst === 'judge by keys';
  return isObject(first) && where(first);
}

/** A document of one line looks like one line of JSONL. */
function isContainer(wanted: Head['container'] | 'json', container: Head['container']): boolean {
  return wanted === 'json' ? container === 'json-object' || container === 'jsonl' : wanted === container;
}

function isVerlMetrics(first: JsonObject): boolean {
  const data = first['data'];
  return (
    Object.keys(first).length === 2 &&
    typeof first['step'] === 'number' &&
    isObject(data) &&
    Object.values(data).every((value) => typeof value === 'number' || value === null)
  );
}

function isTimedMetrics(first: JsonObject): boolean {
  return (
    'step' in first &&
    'time' in first &&
    Object.values(first).every((value) => typeof value === 'number' || value === null)
  );
}
