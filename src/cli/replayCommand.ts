/**
 * `replay`: what a policy model says of recorded rollouts, one or a whole step. The model is loaded here, in the command's
 * own process: a native fault ends one command, and the lines that were written stay. A server is reached by plain fetch.
 * Leaves out the model and everything it is asked (src/replay), and what is printed of it (replayRows.ts).
 */
import { existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import { readEpisode } from '../engine/readEpisode.ts';
import { replayEpisode } from '../engine/replayEpisode.ts';
import { createRolloutReader, type RolloutReader } from '../engine/rolloutReader.ts';
import type { Library } from '../engine/library.ts';
import type { RunIndex } from '../engine/runIndex.ts';
import { noFilter } from '../protocol/engine.ts';
import { usualLogprobThresholds, type CallGain, type ModelChoice, type ProviderName } from '../protocol/replay.ts';
import { openModel, type OpenModel } from '../replay/openModel.ts';
import { createReplaySession, type ReplaySession } from '../replay/replaySession.ts';
import { UnreachableServer } from '../replay/requests.ts';
import { rolloutsPage } from '../store/questions.ts';
import { print, problem, sentenceOf, sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { cacheFolder, onlyPath, onlyRun, runOptions, withLibrary } from './openLogs.ts';
import { plainRequest, serverKeyVariable } from './plainRequest.ts';
import { replayRow, replayText, type Replayed } from './replayRows.ts';

/** The row of cli.ts's table. */
export const replayCommand: Command = {
  usage: 'replay PATH (--row FILE:ROW | --step N --out FILE) --model DIR [--provider NAME] [--gains] [--json]',
  sentence: 'prints what a policy model says of a recorded rollout, or of all rollouts of a step',
  options: {
    row: 'FILE:ROW, FILE relative to PATH',
    step: 'N     all rollouts of a step; one JSON line a rollout goes to --out, progress to stderr',
    out: 'FILE  for --step; standard output by default',
    model: 'DIR   folder of an ONNX model; with --endpoint the model’s name there',
    variant: 'SUFFIX of the ONNX file, such as _q4 (default: the best that is there)',
    provider: 'cpu, webgpu, cuda, dml or coreml (default: what works here)',
    cuda: 'DIR   with ONNX Runtime’s CUDA libraries, for --provider cuda',
    endpoint: `URL   of an OpenAI-compatible server, with /v1; its key is read from ${serverKeyVariable}`,
    tokenizer: 'DIR   with the tokenizer.json of the server’s model (default: the server cuts text itself)',
    samples: 'N     also estimate P(call) of every turn from so many samples',
    seed: 'N     of the samples (default 1)',
    requests: 'N     requests in flight at a server (default 8)',
    ...runOptions,
    ...sharedOptions,
  },
  flags: { gains: 'also the information gain of each call of right rollouts' },
  json: true,
  run: replay,
};

const providers: Readonly<Record<ProviderName, true>> = {
  cpu: true,
  webgpu: true,
  cuda: true,
  dml: true,
  coreml: true,
};
const usualRequests = 8;
/** So many rollouts in succession that found no server end it. */
const mostUnreachable = 3;
const pageSize = 500;

/** A rollout to replay. */
interface Wanted {
  readonly file: string;
  readonly row: number;
}

async function replay(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'replay');
  checkTogether(given);
  const choice = choiceOf(given);
  const wanted = wantedOf(given);
  if (given.option('out') !== null && wanted.kind === 'row') throw new UsageError('--out goes with --step');
  const asked = {
    samples: wholeNumber(given, 'samples', 0),
    seed: wholeNumber(given, 'seed', 1),
    gains: given.flag('gains'),
  };
  // The library takes `--out` for a folder of shards.
  const library = { ...given, option: (name: string) => (name === 'out' ? null : given.option(name)) };
  return withLibrary(library, async (opened) => {
    const { signal } = new AbortController();
    const { run, rollouts, readable } = await rolloutsOf(opened, path, { given: library, wanted });
    const model = await openModel(choice, { signal, tell: () => undefined, request: plainRequest });
    try {
      const reader = createRolloutReader(opened.contents);
      const partsOf = (): Parts => ({ run, session: sessionOf(model), asked, reader, signal });
      if (wanted.kind === 'row') return await one(rollouts[0], partsOf(), given.json ? 'json' : 'text');
      // A server answers several at once; a model here has the processor to itself.
      const parallel = choice.kind === 'remote' ? choice.concurrency : 1;
      return (await many(rollouts, Array.from({ length: parallel }, partsOf), given.option('out'))) && readable;
    } finally {
      await model.backend.dispose();
    }
  });
}

function wantedOf(given: Arguments): { kind: 'row'; rollout: Wanted } | { kind: 'step'; step: number } {
  const step = given.option('step');
  const row = given.option('row');
  if ((step === null) === (row === null)) throw new UsageError('replay needs either --row FILE:ROW or --step N');
  if (step !== null) return { kind: 'step', step: wholeNumber(given, 'step', 0) };
  const parts = /^(?<file>.+):(?<row>\d+)$/su.exec(row ?? '')?.groups;
  if (!parts) throw new UsageError('--row takes FILE:ROW, for example --row 17.jsonl:0');
  return { kind: 'row', rollout: { file: (parts['file'] ?? '').replace(/^\.\//u, ''), row: Number(parts['row']) } };
}

function wholeNumber(given: Arguments, name: string, usual: number): number {
  const text = given.option(name);
  const value = text === null ? usual : Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new UsageError(`--${name} ${text} is no whole number from 0 on`);
}

/** What would decide nothing is said, not passed over. */
function checkTogether(given: Arguments): void {
  const is = (name: string): boolean => given.option(name) !== null;
  const out = given.option('out');
  if (out !== null && !existsSync(dirname(resolve(out))))
    throw new UsageError(`--out ${out}: its folder does not exist`);
  for (const name of ['provider', 'variant', 'cuda']) {
    if (is(name) && is('endpoint')) throw new UsageError(`--${name} goes with a model folder, not with --endpoint`);
  }
  for (const name of ['tokenizer', 'requests']) {
    if (is(name) && !is('endpoint')) throw new UsageError(`--${name} goes with --endpoint`);
  }
  if (is('seed') && !is('samples')) throw new UsageError('--seed goes with --samples');
}

function choiceOf(given: Arguments): ModelChoice {
  const model = given.option('model');
  if (model === null) throw new UsageError('replay needs --model DIR, or --endpoint URL --model NAME');
  const endpoint = given.option('endpoint');
  const provider = given.option('provider');
  if (endpoint !== null) {
    if (!/^https?:\/\//u.test(endpoint)) throw new UsageError(`--endpoint ${endpoint} is no http address`);
    const tokenizer = given.option('tokenizer');
    const tokenizerFolder = tokenizer === null ? null : resolve(tokenizer);
    const concurrency = Math.max(1, wholeNumber(given, 'requests', usualRequests));
    return { kind: 'remote', endpoint, model, tokenizerFolder, concurrency };
  }
  const cuda = given.option('cuda');
  return {
    kind: 'local',
    folder: resolve(model),
    variant: given.option('variant'),
    provider: provider === null ? null : providerNamed(provider),
    chunk: null,
    memoryBudget: null,
    cudaFolder: cuda === null ? null : resolve(cuda),
    storage: join(cacheFolder(), 'models'),
  };
}

function providerNamed(name: string): ProviderName {
  const found = Object.keys(providers).find((one): one is ProviderName => one === name);
  if (found === undefined) throw new UsageError(`--provider ${name}: choose ${Object.keys(providers).join(', ')}`);
  return found;
}

interface Selection {
  readonly given: Arguments;
  readonly wanted: ReturnType<typeof wantedOf>;
}

async function rolloutsOf(
  library: Library,
  path: string,
  { given, wanted }: Selection,
): Promise<{ readonly run: RunIndex; readonly rollouts: readonly Wanted[]; readonly readable: boolean }> {
  if (wanted.kind === 'step') {
    const { run, readable } = await onlyRun(library, path, given);
    const rollouts: Wanted[] = [];
    for (let total = 1; rollouts.length < total;) {
      const slice = { ...noFilter, step: wanted.step, group: null, first: rollouts.length, count: pageSize };
      const page = await rolloutsPage(run.table, slice);
      if (page.rows.length === 0) break;
      rollouts.push(...page.rows.map(({ file, row }) => ({ file, row })));
      total = page.total;
    }
    if (rollouts.length === 0) throw new UserError(`There is no rollout of step ${wanted.step} at ${path}.`);
    return { run, rollouts, readable };
  }
  const { file } = wanted.rollout;
  const { runs } = await library.open(path);
  const run = runs.find((candidate) => candidate.absolutePath(file) !== null);
  if (!run) throw new UserError(`${file} is no log file at ${path}.`, 'FILE is relative to PATH.');
  run.readOnly(file);
  await run.whenSettled();
  return { run, rollouts: [wanted.rollout], readable: true };
}

function sessionOf({ backend, tokens }: OpenModel): ReplaySession {
  const nobody = (): void => undefined;
  return createReplaySession({
    backend,
    tokens,
    tell: { scored: nobody, branchText: nobody, progress: nobody, log: nobody },
  });
}

/** What every rollout is replayed with. */
interface Parts {
  readonly run: RunIndex;
  readonly session: ReplaySession;
  readonly asked: { readonly samples: number; readonly seed: number; readonly gains: boolean };
  readonly reader: RolloutReader;
  readonly signal: AbortSignal;
}

async function one(wanted: Wanted | undefined, parts: Parts, format: 'json' | 'text'): Promise<boolean> {
  if (wanted === undefined) return false;
  const replayed = await replayOne(wanted, parts);
  await print(format === 'json' ? JSON.stringify(replayRow(replayed)) : replayText(replayed));
  return true;
}

/** As many at a time as there are sessions; lines come in the order of the rollouts. */
async function many(rollouts: readonly Wanted[], sessions: readonly Parts[], out: string | null): Promise<boolean> {
  const file: FileHandle | null = out === null ? null : await opened(out);
  const lines = new Map<number, string | null>();
  let [failed, unreachable, next, done, written] = [0, 0, 0, 0, 0];
  const write = async (): Promise<void> => {
    for (let line = lines.get(written); line !== undefined; line = lines.get(written)) {
      lines.delete(written);
      written += 1;
      if (line !== null) await (file === null ? print(line) : file.write(`${line}\n`));
    }
  };
  let writing = Promise.resolve();
  const work = async (parts: Parts): Promise<void> => {
    for (let at = next++; at < rollouts.length && unreachable < mostUnreachable; at = next++) {
      const wanted = rollouts[at];
      if (wanted === undefined) return;
      let line: string | null = null;
      try {
        line = JSON.stringify(replayRow(await replayOne(wanted, parts)));
        unreachable = 0;
      } catch (error) {
        // One rollout that cannot be replayed does not cost the others; a server that is gone does.
        if (!(error instanceof UserError)) throw error;
        failed += 1;
        if (error instanceof UnreachableServer) unreachable += 1;
        problem(`error: ${wanted.file}: record ${wanted.row + 1}: ${sentenceOf(error)}`);
      }
      lines.set(at, line);
      writing = writing.then(write);
      await writing;
      done += 1;
      process.stderr.write(`${done} of ${rollouts.length} rollouts\n`);
    }
  };
  try {
    await Promise.all(sessions.map(work));
  } finally {
    await writing.catch(() => undefined);
    await file?.close();
  }
  if (unreachable >= mostUnreachable) {
    throw new UserError(`The server is gone: ${rollouts.length - done} of ${rollouts.length} rollouts were left.`);
  }
  return failed === 0;
}

async function opened(path: string): Promise<FileHandle> {
  return open(path, 'w').catch((error: unknown) => {
    throw new UserError(`${basename(path)} cannot be written: ${messageOf(error)}.`, 'Choose another place.');
  });
}

async function replayOne(wanted: Wanted, { run, session, asked, reader, signal }: Parts): Promise<Replayed> {
  const ref = { run: run.id, ...wanted };
  const found = await readEpisode(run, ref, { reader, signal });
  const episode = await replayEpisode({ run, ref, episode: found, reader, signal });
  const aligned = await session.open(episode);
  const verdict = await session.score({ thresholds: usualLogprobThresholds, top: 0 }, signal);
  const decisions = [...(await session.decisions(signal))];
  if (asked.samples > 0) {
    const turns = new Set(decisions.map(({ turn }) => turn));
    const settings = {
      samples: asked.samples,
      seed: asked.seed,
      temperature: episode.temperature ?? 1,
      topP: episode.topP ?? 1,
    };
    for (const turn of turns) decisions.push(await session.estimate({ turn, ...settings }, signal));
  }
  const gains = asked.gains ? await gainsOf(session, signal) : null;
  return { ...wanted, facts: session.facts, episode, aligned, scores: session.scores(), verdict, decisions, gains };
}

/** Null with the reason where the rollout is wrong or has no answer. */
async function gainsOf(session: ReplaySession, signal: AbortSignal): Promise<readonly CallGain[] | string> {
  try {
    return await session.gains(signal);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
