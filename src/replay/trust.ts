/**
 * A decoder on a GPU provider together with what the self-test says of it, from memory where the same model was tested with
 * the same provider on this machine before. A provider can kill the process while it is tried (a native fault): a mark left
 * behind says so, and it is passed over once. Owned by local.ts. Leaves out the test itself (selfTest.ts).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, freemem, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { isObject, type Json } from '../base/json.ts';
import type { ProviderName, SelfTest } from '../protocol/replay.ts';
import type { Decoder } from './decoder.ts';
import { openDecoder, type DecoderSource } from './openDecoder.ts';
import { providerNames, softwareAdapter } from './providers.ts';
import { writeWhole } from './modelHash.ts';
import { usualChunk } from './scoring.ts';
import { runSelfTest } from './selfTest.ts';

/** What is tried. */
export interface Trial {
  readonly source: DecoderSource;
  readonly provider: ProviderName;
  readonly choice: { readonly storage: string; readonly chunk: number | null; readonly checkAgain?: boolean };
  readonly options: { readonly signal: AbortSignal; readonly tell: (doing: string) => void };
  readonly modelHash: string;
  readonly contextLength: number;
  /** True where the user chose this provider: it is then used even where it is slow or not trusted, and says so. */
  readonly insisted: boolean;
  readonly cpuDecoder: () => Promise<Decoder>;
}

/** A provider that works, and is not to be used: it is wrong, or slower than the CPU. */
export class RefusedProvider extends UserError {
  constructor(readonly selfTest: SelfTest) {
    super(selfTest.sentence);
  }
}

/** Copies of the weights that loading on the CPU takes, at most (16-bit weights become 32-bit ones). */
const cpuCopies = 3;

/** Opens and judges. Rejects with UserError where the numbers are not to be used. */
export async function trustedDecoder(trial: Trial): Promise<{ decoder: Decoder; selfTest: SelfTest | null }> {
  const { provider, source, choice, insisted } = trial;
  const memory = join(choice.storage, 'selfTests', `${keyOf(trial)}.json`);
  const mark = `${memory}.trying`;
  if (existsSync(mark)) {
    await rm(mark, { force: true });
    if (!insisted) {
      throw new UserError(
        `${providerNames[provider]} was passed over: the process ended while it was tried last time.`,
      );
    }
  }
  await mkdir(dirname(mark), { recursive: true }).catch(() => undefined);
  await writeFile(mark, '').catch(() => undefined);
  try {
    const decoder = await openDecoder(source, provider);
    try {
      if (choice.checkAgain === true) await rm(memory, { force: true });
      const selfTest = await remembered(memory, () => test(trial, decoder));
      if (!insisted && selfTest !== null && selfTest.verdict !== 'same') throw new RefusedProvider(selfTest);
      return { decoder, selfTest };
    } catch (error) {
      await decoder.release();
      throw error;
    }
  } finally {
    await rm(mark, { force: true }).catch(() => undefined);
  }
}

/** Null where there is no room for the model on the CPU beside it. */
async function test(trial: Trial, decoder: Decoder): Promise<SelfTest | null> {
  const { source, provider, options } = trial;
  if (source.variant.sizeBytes * cpuCopies > freemem()) return null;
  options.tell(`Comparing ${providerNames[provider]} with the CPU`);
  return runSelfTest({
    provider,
    decoder,
    cpu: await trial.cpuDecoder(),
    chunk: trial.choice.chunk ?? usualChunk(source.vocabularySize),
    contextLength: trial.contextLength,
    software: provider === 'webgpu' ? softwareAdapter() : null,
    signal: options.signal,
  });
}

async function remembered(file: string, compute: () => Promise<SelfTest | null>): Promise<SelfTest | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  const known = text === null ? null : selfTestOf(text);
  if (known !== null) return known;
  const result = await compute();
  if (result !== null) await writeWhole(file, JSON.stringify(result));
  return result;
}

function selfTestOf(text: string): SelfTest | null {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { verdict, sentence } = value;
  const known = verdict === 'same' || verdict === 'different' || verdict === 'slow' ? verdict : null;
  if (known === null || typeof sentence !== 'string') return null;
  const number = (name: string): number | null => {
    const found = value[name];
    return typeof found === 'number' ? found : null;
  };
  return {
    verdict: known,
    sentence,
    maximumDifference: number('maximumDifference'),
    tokensPerSecond: number('tokensPerSecond'),
    cpuTokensPerSecond: number('cpuTokensPerSecond'),
    chunkLimit: number('chunkLimit'),
  };
}

/** Model, provider, versions, machine and what chooses its driver: anything else cannot change the result. */
function keyOf({ source, provider, modelHash, choice }: Trial): string {
  const drivers = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'CUDA_VISIBLE_DEVICES'].map(
    (name) => process.env[name] ?? '',
  );
  const machine = [hostname(), process.platform, process.arch, cpus()[0]?.model ?? ''];
  const identity = [modelHash, provider, source.runtime.version, choice.chunk, ...drivers, ...machine];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
}
