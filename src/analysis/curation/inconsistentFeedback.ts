/**
 * Filter `inconsistent-feedback`: a trajectory with feedback that cannot have come from its calls. Static checks only:
 * Python that does not parse, reads a name that is bound nowhere, or imports what the sandbox refuses, each with an
 * output given as correct; an observation that contradicts the call's own arguments; a result without a call.
 * Cannot tell for calls of other tools beyond what their results quote. Source: hdpo.md section 4.
 */
import { pluralText } from '../../base/numberText.ts';
import { faultBits, type CurationData, type RunNames } from './facts.ts';
import { decideEach, drop, keep, total, type Filter, type FilterSettings } from './filter.ts';
import { impossibleModules } from './pythonPrelude.ts';

/** Drops trajectories whose feedback is impossible. */
export const inconsistentFeedback: Filter<'inconsistent-feedback'> = {
  id: 'inconsistent-feedback',
  comparesRows: false,
  decide: (data, settings) => {
    const judged = judgedSets(data, settings);
    const { faults, run, undefinedNames, imports, count } = data.rollouts;
    return decideEach(count, (row) => {
      if ((faults[row] ?? 0) > 0) return drop;
      const sets = judged[run[row] ?? 0];
      const [names, modules] = [undefinedNames[row] ?? 0, imports[row] ?? 0];
      return names + modules > 0 && sets !== undefined && (sets.names.has(names) || sets.modules.has(modules))
        ? drop
        : keep;
    });
  },
  coverage: ({ rollouts }) => {
    const [python, others] = [total(rollouts.pythonCalls), total(rollouts.otherCalls)];
    return (
      `static checks of ${pluralText(python, 'Python call')} (parse, undefined names, forbidden imports, fixed output); ` +
      `${pluralText(others, 'call')} of other tools only by what their results quote; nothing was run`
    );
  },
  reason: (data, settings, { row }) => {
    const kinds = faultKinds(data, settings, row);
    return {
      reason: `Its feedback cannot have come from its calls: ${kinds.join('; ')}.`,
      evidence: [{ name: 'faults', value: kinds }],
    };
  },
};

/** What is wrong with a row, a phrase each. */
function faultKinds(data: CurationData, settings: FilterSettings, row: number): readonly string[] {
  const { faults, run, undefinedNames, imports } = data.rollouts;
  const kinds: string[] = [];
  const bits = faults[row] ?? 0;
  if ((bits & faultBits['does not parse']) > 0) kinds.push('code that does not parse has a correct output');
  if ((bits & faultBits.contradiction) > 0) kinds.push('an observation contradicts the arguments of its call');
  if ((bits & faultBits['no call']) > 0) kinds.push('a tool result stands where no tool was called');
  const known = data.names[run[row] ?? 0];
  if (known === undefined) return kinds;
  const names = (data.nameSets[undefinedNames[row] ?? 0] ?? []).filter((name) => isImpossibleName(name, known));
  if (names.length > 0) kinds.push(`code with a correct output reads ${names.join(', ')}, which is defined nowhere`);
  const modules = (data.nameSets[imports[row] ?? 0] ?? []).filter((name) => isForbidden(name, known, settings));
  if (modules.length > 0)
    kinds.push(`code with a correct output imports ${modules.join(', ')}, which the sandbox refuses`);
  return kinds;
}

interface JudgedSets {
  /** Indexes of name sets that hold an impossible name, or a forbidden module. */
  readonly names: ReadonlySet<number>;
  readonly modules: ReadonlySet<number>;
}

/** Name sets are few and rows many: each set is judged once a run. */
function judgedSets({ names, nameSets }: CurationData, settings: FilterSettings): readonly JudgedSets[] {
  return names.map((known) => {
    const impossible = new Set<number>();
    const forbidden = new Set<number>();
    nameSets.forEach((set, index) => {
      if (set.some((name) => isImpossibleName(name, known))) impossible.add(index);
      if (set.some((name) => isForbidden(name, known, settings))) forbidden.add(index);
    });
    return { names: impossible, modules: forbidden };
  });
}

/** A name that works in so many rollouts is put there by the harness. */
const fewestOfHarness = 5;
const shareOfHarness = 0.02;

/** True for a name that no harness defines: rarely read with success, or refused by Python itself. */
function isImpossibleName(name: string, { unbound, refusedNames, pythonRollouts }: RunNames): boolean {
  const worked = unbound.get(name) ?? 0;
  if (worked === 0) return false;
  if ((refusedNames.get(name) ?? 0) >= worked) return true;
  return worked < fewestOfHarness || worked < shareOfHarness * pythonRollouts;
}

/** True for a module that no sandbox has, that the user forbids, or that this run's sandbox refused more often than not. */
function isForbidden(name: string, { imported, refusedModules }: RunNames, settings: FilterSettings): boolean {
  if (impossibleModules.has(name) || settings.forbiddenImports?.includes(name) === true) return true;
  return (refusedModules.get(name) ?? 0) > (imported.get(name) ?? 0);
}
