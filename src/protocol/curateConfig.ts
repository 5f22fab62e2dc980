/**
 * Settings of a curation out of foreign JSON (a page's saved state, a file that people pass on): what has the wrong type
 * or lies outside its limits reads as the default. Pure.
 * Leaves out the strict check of `curate --config`, which names what is wrong (the engine's).
 */
import { isObject, type Json } from '../base/json.ts';
import { curationFilters, defaultCuration, type CurationConfig, type CurationFilter } from './curation.ts';

/** Every filter of both stages. */
export const allFilters: readonly CurationFilter[] = [...curationFilters.sft, ...curationFilters.rl];

/** The settings that a JSON value holds; null where it holds none at all. */
export function curationFrom(value: unknown): CurationConfig | null {
  if (!isObject(value) || !Object.keys(defaultCuration).some((key) => key in value)) return null;
  const standard = defaultCuration;
  const listed = Array.isArray(value.forbiddenImports) ? value.forbiddenImports : [];
  const forbidden = listed.filter((name) => typeof name === 'string');
  return {
    stage: value.stage === 'rl' ? 'rl' : 'sft',
    off: allFilters.filter((filter) => Array.isArray(value.off) && value.off.includes(filter)),
    onlyUnrecovered: flag(value.onlyUnrecovered, standard.onlyUnrecovered),
    toolFreeSamples: whole(value.toolFreeSamples, standard.toolFreeSamples),
    toolFreeShare: share(value.toolFreeShare, standard.toolFreeShare),
    toolFreeFrom: toolFreeFrom(value.toolFreeFrom),
    judgeThreshold: share(value.judgeThreshold, standard.judgeThreshold),
    nearDuplicate: share(value.nearDuplicate, standard.nearDuplicate),
    leastRollouts: whole(value.leastRollouts, standard.leastRollouts),
    keepEfficiencySignal: flag(value.keepEfficiencySignal, standard.keepEfficiencySignal),
    startStep: step(value.startStep),
    contextTokens: value.contextTokens === null ? null : positive(value.contextTokens),
    ...(forbidden.length === 0 ? {} : { forbiddenImports: forbidden }),
  };
}

/** Names in a JSON value that `curationFrom` did not take as they stand: unknown ones, and values out of their limits. */
export function misread(value: unknown, config: CurationConfig): readonly string[] {
  if (!isObject(value)) return [];
  const taken: Readonly<Record<string, unknown>> = { ...config };
  return Object.keys(value).filter((name) => wordOf(value[name]) !== wordOf(taken[name]));
}

/** Equal for equal values; the order of a list of names says nothing. */
function wordOf(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value.map((one) => JSON.stringify(one)).sort());
  return JSON.stringify(value) ?? '';
}

function toolFreeFrom(value: Json | undefined): CurationConfig['toolFreeFrom'] {
  if (!isObject(value)) return defaultCuration.toolFreeFrom;
  switch (value.kind) {
    case 'run':
      return typeof value.run === 'string' ? { kind: 'run', run: value.run } : defaultCuration.toolFreeFrom;
    case 'self':
    case 'generated':
      return { kind: value.kind };
    default:
      return { kind: 'none' };
  }
}

function flag(value: Json | undefined, standard: boolean): boolean {
  return typeof value === 'boolean' ? value : standard;
}

function share(value: Json | undefined, standard: number): number {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : standard;
}

function positive(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function whole(value: Json | undefined, standard: number): number {
  return positive(value) ?? standard;
}

function step(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
