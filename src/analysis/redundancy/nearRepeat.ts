/**
 * Rule `near-repeat`: a search asked again in other words, or a crop of nearly the same box.
 * Proves: the terms are the same and at least 0.8 of the result links (or all of the text) had been seen; or two boxes on
 * one image overlap with IoU ≥ 0.9 and are processed alike. Does not prove: that the new wording was no sensible try.
 * Another page, site, date or language is another argument and never flagged. Source: hdpo.md section 3.
 */
import { isObject } from '../../base/json.ts';
import type { CallFacts } from './callFacts.ts';
import { canonicalJson } from './callFacts.ts';
import { cropOfArguments, cropsOfPython, intersectionOverUnion, type Box, type Crop } from './cropBox.ts';
import { canonicalPython, parsePython } from './pythonCode.ts';
import { buildFlag, type Flag, type Rule } from './rule.ts';
import { canonicalQuery, resultLinks, searchOf } from './searchQuery.ts';
import type { RuleThresholds } from '../../model/ruleThresholds.ts';
import { codeOf, isCodeTool, isSearchTool } from './toolKinds.ts';

const id = 'near-repeat';

/** Flags, as likely, searches in other words with the same results, and crops of nearly the same box. */
export const nearRepeat: Rule = {
  id,
  hintsOnly: false,
  flag: (facts, thresholds) => {
    if (facts.judged.length < 2) return [];
    const { calls } = facts.rollout;
    const uses = new Map<string | null, number>();
    for (const call of facts.judged) {
      const tool = calls[call]?.tool ?? null;
      uses.set(tool, (uses.get(tool) ?? 0) + 1);
    }
    const alike = new Map<string, Asked[]>();
    return facts.judged.flatMap((call) => {
      if ((uses.get(calls[call]?.tool ?? null) ?? 0) < 2) return [];
      const asked = askedBy(facts, call);
      if (asked === null) return [];
      const earlier = alike.get(asked.key) ?? [];
      let best: Likeness | null = null;
      let refersTo: number | null = null;
      for (const one of earlier.slice(-mostCompared)) {
        // Simply equal ones are the matter of `repeat`.
        if (facts.sameArguments(one.call, call)) continue;
        const likeness = likenessOf(facts, one, asked);
        if (likeness === null || likeness.value < thresholds[likeness.threshold]) continue;
        // The call it is most like; of equals, the latest.
        if (best === null || likeness.value >= best.value) [best, refersTo] = [likeness, one.call];
      }
      alike.set(asked.key, [...earlier, asked].slice(-mostCompared));
      if (best === null) return [];
      const { evidence, ...measured } = best;
      return [buildFlag({ call, rule: id, confidence: 'likely', refersTo, evidence: [evidence], measured })];
    });
  },
};

/** Calls that ask for the same thing are compared with so many before them: more are a loop, and quadratic. */
const mostCompared = 100;

/** A search or a crop; those with one key are worth comparing: the same tool, everything else about them equal. */
interface Asked {
  readonly call: number;
  readonly key: string;
  /** Null for a search. */
  readonly box: Box | null;
}

/** How like two calls are: what is measured, and how it is shown. */
interface Likeness {
  readonly threshold: keyof RuleThresholds;
  readonly value: number;
  readonly evidence: Flag['evidence'][number];
}

function askedBy(facts: CallFacts, index: number): Asked | null {
  const call = facts.rollout.calls[index];
  if (!call || (call.outcome !== 'ok' && call.outcome !== 'unknown')) return null;
  const search = isSearchTool(call.tool) ? searchOf(call.arguments) : null;
  if (search !== null) {
    const terms = search.queries.map(canonicalQuery).sort();
    return { call: index, key: JSON.stringify([call.tool, canonicalJson(search.rest), terms]), box: null };
  }
  const found = cropWithRest(facts, index);
  if (found === null) return null;
  const { crop, rest } = found;
  return { call: index, key: JSON.stringify([call.tool, crop.image, rest]), box: crop.box };
}

function likenessOf(facts: CallFacts, before: Asked, after: Asked): Likeness | null {
  if (before.box !== null && after.box !== null) {
    const overlap = intersectionOverUnion(before.box, after.box);
    if (overlap === null) return null;
    return { threshold: 'cropOverlap', value: overlap, evidence: { name: 'iou', value: overlap } };
  }
  const { calls } = facts.rollout;
  const links = resultLinks(calls[after.call]?.observation ?? '');
  if (links.size === 0) {
    if (facts.seenSteady(before.call) !== facts.seenSteady(after.call)) return null;
    return { threshold: 'sharedLinks', value: 1, evidence: { name: 'results', value: 'equal' } };
  }
  const known = resultLinks(calls[before.call]?.observation ?? '');
  const shared = [...links].filter((link) => known.has(link)).length / links.size;
  return { threshold: 'sharedLinks', value: shared, evidence: { name: 'shared_links', value: shared } };
}

/** The one crop of a call, and everything else it does in a form to compare. */
function cropWithRest(facts: CallFacts, index: number): { readonly crop: Crop; readonly rest: string } | null {
  const call = facts.rollout.calls[index];
  if (!call) return null;
  if (!isCodeTool(call.tool)) {
    const crop = cropOfArguments(call.arguments);
    if (crop === null || !isObject(call.arguments)) return null;
    const rest = Object.fromEntries(
      Object.entries(call.arguments).filter(([name, value]) => !Array.isArray(value) && name !== 'label'),
    );
    return { crop, rest: canonicalJson(rest) };
  }
  // Parsing is dear: most code crops nothing.
  if (!/crop|\[[^\]]*:[^\]]*,/u.test(codeOf(call.tool, call.arguments) ?? '')) return null;
  const code = facts.code(index);
  const crops = code === null ? null : cropsOfPython(code);
  const [crop] = crops ?? [];
  if (code === null || crop === undefined || crops?.length !== 1) return null;
  const around = parsePython(`${code.text.slice(0, crop.first)}${code.text.slice(crop.end)}`);
  return around === null ? null : { crop, rest: canonicalPython(around) };
}
