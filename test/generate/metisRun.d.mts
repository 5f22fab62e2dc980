// Types of metisRun.mjs for the tests, which are TypeScript. The generator itself stays plain JavaScript, so that
// `npm start` and the bench run it without a build.

/** A question of the generated data set; its answer is a·b + c. */
export interface Question {
  readonly text: string;
  readonly kind: 'compute' | 'convert' | 'photo';
  readonly value: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly difficulty: number;
}

/** What a call is; see metisCalls.mjs. */
export type CallKind =
  | 'python'
  | 'verify'
  | 'failed'
  | 'malformed'
  | 'repeat'
  | 'text_search'
  | 'image_search'
  | 'deduplicated'
  | 'timeout'
  | 'cut';

/** One record of a Metis dump: 8 keys in the order of the writer (formats.md 1.2). */
export interface MetisRecord {
  readonly input: string;
  readonly output: string;
  readonly gts: string;
  readonly score: number;
  readonly step: number;
  readonly tool_interact_info: readonly Readonly<Record<string, unknown>>[];
  readonly traj_stop_reason: string;
  readonly verl_tool_metrics: Readonly<Record<string, unknown>>;
}

/** What to fix in a record; the random source decides the rest. */
export interface MetisRecordOptions {
  readonly step?: number;
  readonly question?: Question;
  /** 0 = start of the training (many calls), 1 = its end */
  readonly progress?: number;
  /** pictures as base64 in the entries, hundreds of pads in photo prompts */
  readonly images?: boolean;
  /** size of the line in bytes, drawn evenly from min to max; a line may miss its size by a few per cent, and small ones cannot be met by rollouts with many calls */
  readonly lineBytes?: { readonly min: number; readonly max: number };
  readonly calls?: readonly CallKind[];
  readonly right?: boolean;
  readonly formatted?: boolean;
}

/** A run to write. */
export interface MetisRunOptions {
  readonly directory: string;
  readonly steps: number;
  readonly promptsPerStep: number;
  readonly rolloutsPerPrompt: number;
  readonly seed: number;
  readonly lineBytes?: { readonly min: number; readonly max: number };
  readonly images?: boolean;
  /** default 1 */
  readonly firstStep?: number;
  /** steps of the whole training, which sets how far each step is; default the last step written */
  readonly trainingSteps?: number;
  /** called, and awaited, after each file is closed */
  readonly onStep?: (step: {
    readonly step: number;
    readonly file: string;
    readonly rollouts: number;
    readonly bytes: number;
  }) => void | Promise<void>;
}

/** A seeded random source: numbers in [0, 1). */
export function seededRandom(seed: number): () => number;

/** One record of a dump, the object that its line parses to. */
export function metisRecord(random: () => number, options?: MetisRecordOptions): MetisRecord;

/** One line of a dump as Python's json.dumps(ensure_ascii=False) writes it, without the newline. */
export function metisLine(record: MetisRecord): string;

/** Writes `{directory}/{step}.jsonl` for each step; memory does not grow with the size. */
export function writeMetisRun(
  options: MetisRunOptions,
): Promise<{ readonly files: readonly string[]; readonly rollouts: number; readonly bytes: number }>;
