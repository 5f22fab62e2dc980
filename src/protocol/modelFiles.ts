/**
 * What the names of files say of models: which of them are one model in one precision, in the layouts that people export
 * and share (transformers.js, onnxruntime-genai, optimum). The same for a repository's listing, a folder that a user picks
 * and the replayer's look at a folder, so that all three speak of the same variants.
 * Leaves out reading folders (host/modelsInFolder.ts), repositories (host/replayerHub.ts) and graphs (replay/modelFolder.ts).
 */

/** A file of a listing; its path has "/" between folders. */
export interface ListedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** How a model's files lie. */
export type ModelLayout = 'transformers.js' | 'genai' | 'optimum';

/** Files that together are one model in one precision. */
export interface ListedModel<File extends ListedFile = ListedFile> {
  readonly layout: ModelLayout;
  /** Folder with its texts (tokenizer.json) below the listing; '' for the listing's own. */
  readonly folder: string;
  /** What follows "model" in its file's name: "", "_q4", "_fp16". */
  readonly suffix: string;
  /** Its decoder's name, without folder. */
  readonly graph: string;
  /** "f32", "q4f16"; null where no name says it. */
  readonly precision: string | null;
  /** All that it needs, the decoder first. */
  readonly files: readonly File[];
  /** Of all of them. */
  readonly sizeBytes: number;
}

/** A decoder among the names of one folder. */
export interface NamedDecoder {
  readonly name: string;
  readonly suffix: string;
  /** embed_tokens of a vision-language export; null where the decoder takes tokens. */
  readonly embedder: string | null;
}

/** Nearest to the policy first: a stand-in of fewer bits has other log-probs. */
const precisions: readonly (readonly [suffix: string, precision: string])[] = [
  ['', 'f32'],
  ['_fp16', 'f16'],
  ['_bf16', 'bf16'],
  ['_int8', 'q8'],
  ['_uint8', 'q8'],
  ['_quantized', 'q8'],
  ['_q8', 'q8'],
  ['_q4', 'q4'],
  ['_q4f16', 'q4f16'],
];

/** genai has no suffixes: precision stands in the name of its folder (cpu-int4-rtn-block-32). */
const precisionWords: readonly (readonly [word: RegExp, precision: string])[] = [
  [/fp16|float16/i, 'f16'],
  [/bf16/i, 'bf16'],
  [/fp32|float32/i, 'f32'],
  [/int8/i, 'q8'],
];

/** The precision that a suffix stands for, as graphs are named; the suffix itself where it is another. */
export function precisionOf(suffix: string): string {
  return precisions.find(([own]) => own === suffix)?.[1] ?? suffix.replace(/^_/, '');
}

/** The precision that a folder's name says; null where it says none. */
export function precisionOfFolder(folder: string): string | null {
  if (/int4/i.test(folder)) return /fp16|float16/i.test(folder) ? 'q4f16' : 'q4';
  return precisionWords.find(([word]) => word.test(folder))?.[1] ?? null;
}

function rankOf(suffix: string): number {
  const index = precisions.findIndex(([own]) => own === suffix);
  return index < 0 ? precisions.length : index;
}

const decoderName = /^(model|decoder_model_merged|decoder_with_past_model)((?:_[A-Za-z0-9]+)*)\.onnx$/;
const embedderName = /^embed_tokens.*\.onnx$/;

/** With past and without: the merged or the only one with a cache is taken. */
const stems = ['decoder_model_merged', 'model', 'decoder_with_past_model'] as const;

/** The decoders among the names of one folder, one a precision, nearest to the policy first. */
export function decodersAmong(names: readonly string[]): readonly NamedDecoder[] {
  const found = names.flatMap((name) => {
    const [, stem, suffix] = decoderName.exec(name) ?? [];
    return stem === undefined || suffix === undefined ? [] : [{ name, stem, suffix }];
  });
  const stem = stems.find((wanted) => found.some((decoder) => decoder.stem === wanted));
  const embedders = names.filter((name) => embedderName.test(name));
  return found
    .filter((decoder) => decoder.stem === stem)
    .map(({ name, suffix }) => {
      const own = `embed_tokens${suffix}.onnx`;
      return { name, suffix, embedder: embedders.includes(own) ? own : (embedders[0] ?? null) };
    })
    .sort((a, b) => rankOf(a.suffix) - rankOf(b.suffix) || (a.suffix < b.suffix ? -1 : 1));
}

const textName = /^[\w.-]+\.(json|jinja|txt|model)$/;
/** Encoders of pictures and sound: only text is replayed. */
const encoderName = /(^|[-_])(vision|speech|audio)/i;

/**
 * The models among the files of a listing: by folder, within one nearest to the policy first. Those without a tokenizer.json
 * are left out: without it no text becomes tokens.
 */
export function modelsAmong<File extends ListedFile>(files: readonly File[]): readonly ListedModel<File>[] {
  const folders = new Map<string, Map<string, File>>();
  for (const file of files) {
    const [folder, name] = split(file.path);
    const own = folders.get(folder) ?? new Map<string, File>();
    folders.set(folder, own.set(name, file));
  }
  const genai = [...folders].filter(([, own]) => own.has('genai_config.json'));
  const declared = new Set(genai.map(([folder]) => folder));
  const named = [...folders].filter(([folder]) => !declared.has(folder));
  const models = [
    ...named.flatMap(([folder, own]) => namedModels(folder, own, { folders, declared })),
    ...genai.flatMap(([folder, own]) => declaredModel(folder, own)),
  ];
  const order = (folder: string): string => `${/cpu/i.test(folder) || folder === '' ? 0 : 1}${folder}`;
  // Stable: the precisions of a folder keep their order. What runs on a CPU runs everywhere.
  return models.sort((a, b) => (order(a.folder) < order(b.folder) ? -1 : order(a.folder) > order(b.folder) ? 1 : 0));
}

interface Listing<File> {
  readonly folders: ReadonlyMap<string, ReadonlyMap<string, File>>;
  /** Folders with a genai_config.json. */
  readonly declared: ReadonlySet<string>;
}

/** transformers.js and optimum: the decoder's name says what it is. */
function namedModels<File extends ListedFile>(
  place: string,
  names: ReadonlyMap<string, File>,
  { folders, declared }: Listing<File>,
): readonly ListedModel<File>[] {
  const [above, last] = split(place);
  // An optimum export may be called "onnx" itself.
  const layout = last === 'onnx' && !names.has('tokenizer.json') ? 'transformers.js' : 'optimum';
  const folder = layout === 'optimum' ? place : above;
  const below = folder === '' ? 'onnx' : `${folder}/onnx`;
  const hasBetter =
    declared.has(folder) || (layout === 'optimum' && decodersAmong([...(folders.get(below)?.keys() ?? [])]).length > 0);
  const texts = [...(folders.get(folder) ?? [])].filter(([name]) => textName.test(name)).map(([, file]) => file);
  if (hasBetter || !texts.some(({ path }) => split(path)[1] === 'tokenizer.json')) return [];
  return decodersAmong([...names.keys()]).map(({ name, suffix, embedder }) => {
    const graphs = embedder === null ? [name] : [name, embedder];
    const own = graphs.flatMap((graph) => [...names].filter(([other]) => isOf(graph, other)).map(([, file]) => file));
    const found = [...own, ...texts];
    return { layout, folder, suffix, graph: name, precision: precisionOf(suffix), files: found, ...sizeOf(found) };
  });
}

/** genai: all of its folder, since genai_config.json names the graphs and only a download could read it. */
function declaredModel<File extends ListedFile>(
  folder: string,
  names: ReadonlyMap<string, File>,
): readonly ListedModel<File>[] {
  const needed = [...names].filter(
    ([name]) =>
      (textName.test(name) || /\.onnx$/.test(name) || /\.onnx[._]data(_\d+)?$|\.data$/.test(name)) &&
      !(encoderName.test(name) && !textName.test(name)),
  );
  const graphs = needed.filter(([name]) => name.endsWith('.onnx')).map(([name]) => name);
  const graph = graphs.find((name) => !/embed/i.test(name)) ?? graphs[0];
  if (graph === undefined || !names.has('tokenizer.json')) return [];
  const files = needed.map(([, file]) => file).sort((a, b) => rankOfFile(a, graph) - rankOfFile(b, graph));
  return [
    { layout: 'genai', folder, suffix: '', graph, precision: precisionOfFolder(folder), files, ...sizeOf(files) },
  ];
}

function rankOfFile({ path }: ListedFile, graph: string): number {
  return split(path)[1] === graph ? 0 : 1;
}

/** Weights lie beside their graph: model.onnx_data, model.onnx_data_1, model.onnx.data. */
function isOf(graph: string, name: string): boolean {
  return name === graph || (name.startsWith(graph) && /^[_.]data(_\d+)?$/.test(name.slice(graph.length)));
}

function sizeOf(files: readonly ListedFile[]): { readonly sizeBytes: number } {
  return { sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function split(path: string): readonly [folder: string, name: string] {
  const at = path.lastIndexOf('/');
  return at < 0 ? ['', path] : [path.slice(0, at), path.slice(at + 1)];
}

/** At most this share of a machine's memory is for the weights of a model that nobody chose. */
const largestShareOfMemory = 0.5;

/** The one that is taken where nobody chooses: the first that fits into memory, else the last; undefined for none. */
export function defaultOf<Model extends { readonly sizeBytes: number }>(
  models: readonly Model[],
  memoryBytes: number,
): Model | undefined {
  return models.find(({ sizeBytes }) => sizeBytes < largestShareOfMemory * memoryBytes) ?? models.at(-1);
}
