/**
 * What was learnt of models when they were loaded on this machine: provider, precision, self-test, hash. Kept in the
 * extension's own state by folder and precision, with size and time of the graph's file: a model that has changed since is
 * one that was never loaded. Leaves out the self-test itself (replay/selfTest.ts) and its words (views/models).
 */
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { asArray, asNumber, asString, isObject, type Json } from '../../base/json.ts';
import type { ModelCheck } from '../../host/replayModels.ts';
import type { BackendFacts, ModelChoice, ProviderAttempt, ProviderName, SelfTest } from '../../protocol/replay.ts';

type LocalChoice = Extract<ModelChoice, { readonly kind: 'local' }>;

const key = 'replay.checks';
const mostKept = 100;

const changed = new vscode.EventEmitter<undefined>();

/** Models were added, removed, or learnt of in this window. */
export const onDidChangeModels = changed.event;

/** Says that the list of models is another. */
export function modelsChanged(): void {
  changed.fire(undefined);
}

/** Keeps what a loaded model says of itself. `file` is its graph's. */
export async function rememberCheck(
  context: vscode.ExtensionContext,
  choice: LocalChoice,
  { facts, file }: { readonly facts: BackendFacts; readonly file: string },
): Promise<void> {
  const identity = await identityOf(file);
  if (identity === null) return;
  const valueOf = (name: string): string | null => {
    const found = facts.provenance.find((one) => one.name === name)?.value;
    return typeof found === 'string' ? found : null;
  };
  const check: ModelCheck = {
    provider: facts.provider,
    precision: facts.precision,
    selfTest: facts.selfTest,
    attempts: facts.attempts,
    hash: valueOf('model files (SHA-256)'),
    runtime: valueOf('ONNX Runtime'),
    atMs: Date.now(),
  };
  const others = kept(context).filter(([own]) => own !== keyOf(choice));
  const next = [...others, [keyOf(choice), { identity, check }]].slice(-mostKept);
  await context.globalState.update(key, Object.fromEntries(next));
  modelsChanged();
}

/** What was learnt of a model as it lies there now; null where nothing was. */
export async function checkOf(
  context: vscode.ExtensionContext,
  choice: Pick<LocalChoice, 'folder' | 'variant'>,
  file: string,
): Promise<ModelCheck | null> {
  const entry = kept(context).find(([own]) => own === keyOf(choice))?.[1];
  if (!isObject(entry) || entry['identity'] !== (await identityOf(file))) return null;
  return checkFrom(entry['check'] ?? null);
}

function keyOf({ folder, variant }: Pick<LocalChoice, 'folder' | 'variant'>): string {
  return JSON.stringify([folder, variant]);
}

function kept(context: vscode.ExtensionContext): readonly (readonly [string, unknown])[] {
  const value: unknown = context.globalState.get(key);
  return isObject(value) ? Object.entries(value) : [];
}

async function identityOf(file: string): Promise<string | null> {
  return stat(file).then(
    ({ size, mtimeMs }) => `${size} ${mtimeMs}`,
    () => null,
  );
}

/** What is kept may be of another version of the extension: nothing is taken that is not as it should be. */
function checkFrom(value: Json): ModelCheck | null {
  if (!isObject(value)) return null;
  const provider = asString(value['provider']);
  const precision = asString(value['precision']);
  const atMs = asNumber(value['atMs']);
  if (provider === null || precision === null || atMs === null) return null;
  return {
    provider,
    precision,
    atMs,
    selfTest: selfTestFrom(value['selfTest']),
    attempts: asArray(value['attempts']).flatMap((one) => attemptFrom(one)),
    hash: asString(value['hash']),
    runtime: asString(value['runtime']),
  };
}

const providers: readonly ProviderName[] = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'];

function attemptFrom(value: Json): readonly ProviderAttempt[] {
  if (!isObject(value)) return [];
  const provider = providers.find((name) => name === value['provider']);
  const selfTest = selfTestFrom(value['selfTest']);
  if (provider === undefined) return [];
  return [{ provider, failure: asString(value['failure']), ...(selfTest !== null && { selfTest }) }];
}

function selfTestFrom(value: Json | undefined): SelfTest | null {
  if (!isObject(value)) return null;
  const verdicts = ['same', 'different', 'slow', 'not needed'] as const;
  const verdict = verdicts.find((name) => name === value['verdict']);
  const sentence = asString(value['sentence']);
  if (verdict === undefined || sentence === null) return null;
  return {
    verdict,
    sentence,
    maximumDifference: asNumber(value['maximumDifference']),
    tokensPerSecond: asNumber(value['tokensPerSecond']),
    cpuTokensPerSecond: asNumber(value['cpuTokensPerSecond']),
    chunkLimit: asNumber(value['chunkLimit']),
  };
}
