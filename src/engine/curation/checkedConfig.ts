/**
 * Settings of a curation out of foreign JSON (a file of `curate --config`, a message of a page): what is missing gets its
 * default, what is wrong is named in a sentence. Leaves out what settings do (analysis/curation).
 */
import { UserError } from '../../base/errors.ts';
import { isObject, type Json } from '../../base/json.ts';
import { curationFilters, defaultCuration, type CurationConfig, type CurationFilter } from '../../protocol/curation.ts';

/** The settings in a JSON value; UserError for anything that is no setting. */
export function checkedConfig(value: unknown): CurationConfig {
  if (!isObject(value)) throw wrong('the settings', 'a JSON object');
  const known = new Set([...Object.keys(defaultCuration), 'forbiddenImports']);
  const unknown = Object.keys(value).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new UserError(
      `There is no curation setting ${unknown.join(', ')}.`,
      `Settings are: ${[...known].join(', ')}.`,
    );
  }
  const { stage = defaultCuration.stage } = value;
  if (stage !== 'sft' && stage !== 'rl') throw wrong('stage', '"sft" or "rl"');
  const names = value.forbiddenImports;
  return {
    stage,
    off: offOf(value.off ?? []),
    onlyUnrecovered: truth(value, 'onlyUnrecovered'),
    toolFreeSamples: count(value, 'toolFreeSamples'),
    toolFreeShare: share(value, 'toolFreeShare'),
    toolFreeFrom: sourceOf(value.toolFreeFrom ?? { kind: 'none' }),
    judgeThreshold: share(value, 'judgeThreshold'),
    nearDuplicate: share(value, 'nearDuplicate'),
    leastRollouts: count(value, 'leastRollouts'),
    keepEfficiencySignal: truth(value, 'keepEfficiencySignal'),
    startStep: wholeOrNull(value, 'startStep', Number.MIN_SAFE_INTEGER),
    contextTokens: wholeOrNull(value, 'contextTokens', 1),
    ...(names === undefined ? {} : { forbiddenImports: textsOf(names) }),
  };
}

function wrong(name: string, expected: string): UserError {
  return new UserError(`The curation setting ${name} must be ${expected}.`, 'Correct it and try again.');
}

type Given = Readonly<Record<string, Json | undefined>>;

function offOf(value: Json): readonly CurationFilter[] {
  const all: readonly CurationFilter[] = [...curationFilters.sft, ...curationFilters.rl];
  const given = Array.isArray(value) ? (value as readonly Json[]) : null;
  const off = all.filter((filter) => given?.includes(filter) === true);
  if (given === null || given.some((one) => !all.some((filter) => filter === one))) {
    throw wrong('off', `a list of filters (${all.join(', ')})`);
  }
  return off;
}

function textsOf(value: Json): readonly string[] {
  const texts = Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === 'string') : [];
  if (!Array.isArray(value) || texts.length !== value.length) throw wrong('forbiddenImports', 'a list of module names');
  return texts;
}

function sourceOf(value: Json): CurationConfig['toolFreeFrom'] {
  const { kind = null, run = null } = isObject(value) ? value : {};
  if (kind === 'none' || kind === 'self' || kind === 'generated') return { kind };
  if (kind === 'run' && typeof run === 'string') return { kind, run };
  throw wrong('toolFreeFrom', '{"kind": "none"}, "self", "generated", or {"kind": "run", "run": ID}');
}

function truth(given: Given, name: 'onlyUnrecovered' | 'keepEfficiencySignal'): boolean {
  const value = given[name] ?? defaultCuration[name];
  if (typeof value !== 'boolean') throw wrong(name, 'true or false');
  return value;
}

function share(given: Given, name: 'toolFreeShare' | 'judgeThreshold' | 'nearDuplicate'): number {
  const value = given[name] ?? defaultCuration[name];
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw wrong(name, 'a number from 0 to 1');
  return value;
}

const mostCount = 100_000;

function count(given: Given, name: 'toolFreeSamples' | 'leastRollouts'): number {
  const value = given[name] ?? defaultCuration[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > mostCount) {
    throw wrong(name, 'a whole number from 1 on');
  }
  return value;
}

function wholeOrNull(given: Given, name: 'startStep' | 'contextTokens', least: number): number | null {
  const value = given[name] ?? null;
  if (value === null) return null;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
    throw wrong(name, 'a whole number or null');
  return value;
}
