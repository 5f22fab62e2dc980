/**
 * Opens a model of a folder on the best provider that works: each is tried alone, its reason for failing is kept, and a GPU's
 * numbers are compared with the CPU's before they are trusted. Ends on the CPU where nothing else will do.
 * Owned by the replayer process and the command line. Leaves out what a loaded model answers (localBackend.ts).
 */
import { hostname } from 'node:os';
import { UserError } from '../base/errors.ts';
import { asString } from '../base/json.ts';
import type { NamedValue } from '../model/rollout.ts';
import type { BackendFacts, ModelChoice, ProviderAttempt, ProviderName, SelfTest } from '../protocol/replay.ts';
import type { PolicyBackend } from './backend.ts';
import type { Decoder } from './decoder.ts';
import { openCacheTools } from './kvCache.ts';
import { makeLocalBackend } from './localBackend.ts';
import { hashFiles, provenanceIdOf } from './modelHash.ts';
import { recogniseModelFolder, variantOf, type ModelFolder } from './modelFolder.ts';
import { openDecoder, type DecoderSource } from './openDecoder.ts';
import { openRuntime } from './ortSession.ts';
import { prepareDecoder, type PreparedDecoder } from './prepareGraph.ts';
import { failureSentence, providerNames, providersOf } from './providers.ts';
import { missingCudaLibraries, runtimeBesideCuda } from './runtimeFolder.ts';
import { usualChunk } from './scoring.ts';
import { RefusedProvider, trustedDecoder } from './trust.ts';

/** How loading is watched and stopped. */
export interface LocalOptions {
  readonly signal: AbortSignal;
  /** What is being done, a sentence without a full stop ("Comparing WebGPU with the CPU"). */
  readonly tell: (doing: string) => void;
}

/** Logits of a run are read in JavaScript there: fewer at a time. */
const slowPathChunk = 32;

const defaultMemoryBudget = 2 ** 31;

/** Where neither configuration nor genai_config.json says it. */
const unknownContextLength = 32_768;

/** Loads a model. Rejects with UserError where the folder holds none that can be replayed. */
export async function openLocalBackend(
  choice: Extract<ModelChoice, { readonly kind: 'local' }>,
  options: LocalOptions,
): Promise<PolicyBackend> {
  const model = recogniseModelFolder(choice.folder);
  const variant = variantOf(model, choice.variant);
  options.tell(`Reading ${model.name}`);
  const prepared = prepareDecoder(variant.file, model.genai);
  const vocabularySize = prepared.vocabularySize ?? model.vocabularySize;
  if (vocabularySize === null)
    throw new UserError(`Neither the graph nor config.json of ${model.name} says its vocabulary.`);
  const contextLength = model.contextLength ?? unknownContextLength;
  const missingCuda = missingCudaLibraries(choice.cudaFolder);
  const runtimeFolder =
    choice.cudaFolder === null || missingCuda !== null
      ? null
      : await runtimeBesideCuda(choice.cudaFolder, choice.storage);
  const runtime = await openRuntime(runtimeFolder);
  const preparedForGpu = prepareDecoder(variant.file, model.genai, 'for a GPU');
  const source: DecoderSource = { runtime, prepared, preparedForGpu, variant, model, vocabularySize };
  const modelHash = await hashFiles(prepared.files, choice.storage);
  const attempts: ProviderAttempt[] = [];
  const chosen = await firstThatWorks({ source, choice, options, modelHash, contextLength, missingCuda, attempts });
  const { decoder, selfTest } = chosen;
  try {
    const tools = await openCacheTools(runtime, decoder.prepared.shape, decoder.session.provider);
    const facts = factsOf({ source, choice, decoder, selfTest, attempts, modelHash, contextLength });
    const chunk = choice.chunk ?? usualChunk(vocabularySize);
    return makeLocalBackend({
      decoder,
      tools,
      facts,
      chunk: Math.min(chunk, selfTest?.chunkLimit ?? chunk, facts.slowPath === null ? chunk : slowPathChunk),
      memoryBudget: choice.memoryBudget ?? defaultMemoryBudget,
    });
  } catch (error) {
    await decoder.release();
    throw error;
  }
}

interface Search {
  readonly source: DecoderSource;
  readonly choice: Extract<ModelChoice, { readonly kind: 'local' }>;
  readonly options: LocalOptions;
  readonly modelHash: string;
  readonly contextLength: number;
  readonly missingCuda: string | null;
  /** Filled as providers are tried. */
  readonly attempts: ProviderAttempt[];
}

interface Chosen {
  readonly decoder: Decoder;
  readonly selfTest: SelfTest | null;
}

async function firstThatWorks(search: Search): Promise<Chosen> {
  const { choice, attempts, source, options } = search;
  const machine = { platform: process.platform, architecture: process.arch };
  const asked = choice.provider;
  const order = asked === null ? providersOf(machine) : [...new Set<ProviderName>([asked, 'cpu'])];
  // The CPU's decoder of a self-test is kept for when the CPU is what remains.
  const cpu: { decoder: Decoder | null } = { decoder: null };
  const cpuDecoder = async (): Promise<Decoder> => (cpu.decoder ??= await openDecoder(source, 'cpu'));
  try {
    for (const provider of order) {
      options.signal.throwIfAborted();
      if (provider === 'cpu') {
        const decoder = await openOnCpu(source, cpuDecoder);
        cpu.decoder = null;
        attempts.push({ provider, failure: null });
        return { decoder, selfTest: null };
      }
      try {
        if (provider === 'cuda' && search.missingCuda !== null) throw new UserError(search.missingCuda);
        options.tell(`Trying ${providerNames[provider]}`);
        const chosen = await trustedDecoder({ ...search, provider, insisted: asked !== null, cpuDecoder });
        attempts.push({ provider, failure: null });
        return chosen;
      } catch (error) {
        options.signal.throwIfAborted();
        const failure = failureSentence(provider, error);
        attempts.push({ provider, failure, ...(error instanceof RefusedProvider && { selfTest: error.selfTest }) });
      }
    }
    throw new UserError('No provider is left.');
  } finally {
    await cpu.decoder?.release();
  }
}

/** With the scoring head, or without where ONNX Runtime refuses it. */
async function openOnCpu(source: DecoderSource, cpuDecoder: () => Promise<Decoder>): Promise<Decoder> {
  try {
    return await cpuDecoder();
  } catch (error) {
    if (source.prepared.slowPath !== null) throw new UserError(failureSentence('cpu', error));
    const bare = prepareDecoder(source.variant.file, source.model.genai, 'without');
    const reason = `ONNX Runtime refuses the graph with a scoring head (${failureSentence('cpu', error)})`;
    return await openDecoder({ ...source, prepared: { ...bare, slowPath: reason } }, 'cpu').catch((second: unknown) => {
      throw new UserError(failureSentence('cpu', second));
    });
  }
}

interface FactsInput extends Chosen {
  readonly source: DecoderSource;
  readonly choice: Search['choice'];
  readonly attempts: readonly ProviderAttempt[];
  readonly modelHash: string;
  readonly contextLength: number;
}

function factsOf(input: FactsInput): BackendFacts {
  const { source, choice, decoder, selfTest, attempts, contextLength } = input;
  const { model, vocabularySize } = source;
  const { prepared } = decoder;
  const provenance = provenanceOf(input);
  return {
    name: model.name,
    kind: 'local',
    precision: prepared.precision,
    provider: decoder.session.provider,
    attempts,
    vocabularySize,
    contextLength,
    selfTest,
    slowPath: prepared.slowPath,
    warnings: warningsOf(model, { prepared, choice, provider: decoder.session.provider, selfTest, attempts }),
    provenance,
    provenanceId: provenanceIdOf(provenance),
  };
}

function provenanceOf({ source, decoder, selfTest, modelHash }: FactsInput): readonly NamedValue[] {
  const { model, runtime, variant } = source;
  const { prepared, session } = decoder;
  const levels = prepared.accuracyLevels;
  return [
    { name: 'model', value: model.name },
    { name: 'variant', value: variant.suffix },
    { name: 'model files (SHA-256)', value: modelHash },
    { name: 'precision', value: prepared.precision },
    { name: 'provider', value: session.provider },
    { name: 'ONNX Runtime', value: runtime.version },
    { name: 'accuracy level', value: levels.length > 0 ? `0 (in the file: ${levels.join(', ')})` : '0' },
    { name: 'head', value: prepared.slowPath === null ? 'in the graph' : 'in JavaScript' },
    // Whether it was faster is no property of the numbers.
    {
      name: 'self-test',
      value: selfTest === null ? 'not needed' : selfTest.verdict === 'different' ? 'different' : 'same',
    },
    { name: 'machine', value: session.provider === 'cpu' ? null : hostname() },
  ];
}

interface WarningInput {
  readonly prepared: PreparedDecoder;
  readonly choice: Search['choice'];
  readonly provider: ProviderName;
  readonly selfTest: SelfTest | null;
  readonly attempts: readonly ProviderAttempt[];
}

function warningsOf(model: ModelFolder, input: WarningInput): readonly string[] {
  const { prepared, choice, provider, selfTest, attempts } = input;
  const failed = attempts.filter(({ failure }) => failure !== null);
  const warnings: string[] = [];
  if (choice.provider !== null && choice.provider !== provider) {
    warnings.push(`It runs on ${providerNames[provider]}: ${failed.at(-1)?.failure ?? ''}`);
  }
  if (selfTest !== null && (selfTest.verdict !== 'same' || selfTest.chunkLimit !== null))
    warnings.push(selfTest.sentence);
  if (provider !== 'cpu' && selfTest === null) {
    warnings.push(
      `${providerNames[provider]} was not compared with the CPU: there is no room for the model beside it.`,
    );
  }
  if (prepared.slowPath !== null) {
    warnings.push(`Slow: log-probs are computed in JavaScript, since ${prepared.slowPath}.`);
  }
  if (model.textOnlyView) {
    warnings.push(
      'Pictures are replaced by their pads: the vision encoder of this export is not used, so the model is blind.',
    );
  }
  if (prepared.shape.states.some(({ sequenceAxis }) => sequenceAxis === null)) {
    warnings.push(
      'This model keeps recurrent states, which cannot be cut back: each fork runs its whole prefix again.',
    );
  }
  if (model.contextLength === null) {
    warnings.push(
      `No file says how many tokens fit: ${unknownContextLength} are taken. (${asString(model.config['model_type']) ?? 'unknown'})`,
    );
  }
  return warnings;
}
