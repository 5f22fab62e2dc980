/**
 * Rule `near-repeat`: a search asked again in other words, or a crop of nearly the same box.
 * Proves: the terms are the same and at least 0.8 of the result links (or all of the text) had been seen; or two boxes on
 * one image overlap with IoU ≥ 0.9 and are processed alike. Does not prove: that the new wording was no sensible try.
 * Another page, site, date or language is another argument and never flagged. Source: hdpo.md section 3.
 */
import { isObject } from '../../base/json.ts';
import type { CallFacts } from './callFacts.ts';
import { canonicalJson } from './callFacts.ts';
import { cropOfArguments, cropsOfPython, intersectionOverUnion, type Crop } from './cropBox.ts';
import { canonicalPython, parsePython } from './pythonCode.ts';
import { buildFlag, type Flag, type Rule } from './rule.ts';
import { canonicalQuery, resultLinks, searchOf } from './searchQuery.ts';
import { codeOf, isCodeTool, isSearchTool } from './toolKinds.ts';

const id = 'near-repeat';
/** Share of the later result's links that the earlier one had. */
export const sharedLinksNeeded = 0.8;
/** Intersection over union of two crops. */
export const overlapNeeded = 0.9;

/** Flags, as likely, searches in other words with the same results, and crops of nearly the same box. */
export const nearRepeat: Rule = {
  id,
  hintsOnly: false,
  flag: (facts) => {
    const flags: Flag[] = [];
    for (const later of facts.judged) {
      const earlier = facts.judged.filter((index) => index < later && isComparable(facts, index, later)).reverse();
      for (const index of earlier) {
        const evidence = sameSearch(facts, index, later) ?? sameCrop(facts, index, later);
        if (evidence === null) continue;
        flags.push(buildFlag({ call: later, rule: id, confidence: 'likely', refersTo: index, evidence: [evidence] }));
        break;
      }
    }
    return flags;
  },
};

/** Same tool, both answered, and not simply equal (that is `repeat`). */
function isComparable({ rollout, sameArguments }: CallFacts, earlier: number, later: number): boolean {
  const [first, second] = [rollout.calls[earlier], rollout.calls[later]];
  if (!first || !second || first.tool !== second.tool) return false;
  const answered = [first, second].every(({ outcome }) => outcome === 'ok' || outcome === 'unknown');
  return answered && !sameArguments(earlier, later);
}

function sameSearch(facts: CallFacts, earlier: number, later: number): Flag['evidence'][number] | null {
  const [first, second] = [facts.rollout.calls[earlier], facts.rollout.calls[later]];
  if (!first || !second || !isSearchTool(second.tool)) return null;
  const [before, after] = [searchOf(first.arguments), searchOf(second.arguments)];
  if (before === null || after === null || canonicalJson(before.rest) !== canonicalJson(after.rest)) return null;
  const terms = (queries: readonly string[]): string => queries.map(canonicalQuery).sort().join('\n');
  if (terms(before.queries) !== terms(after.queries)) return null;
  const links = resultLinks(second.observation);
  if (links.size === 0) {
    return facts.seenSteady(earlier) === facts.seenSteady(later) ? { name: 'results', value: 'equal' } : null;
  }
  const known = resultLinks(first.observation);
  const shared = [...links].filter((link) => known.has(link)).length / links.size;
  return shared >= sharedLinksNeeded ? { name: 'shared_links', value: shared } : null;
}

function sameCrop(facts: CallFacts, earlier: number, later: number): Flag['evidence'][number] | null {
  const [before, after] = [cropWithRest(facts, earlier), cropWithRest(facts, later)];
  if (before === null || after === null) return null;
  if (before.crop.image !== after.crop.image || before.rest !== after.rest) return null;
  const overlap = intersectionOverUnion(before.crop.box, after.crop.box);
  return overlap !== null && overlap >= overlapNeeded ? { name: 'iou', value: overlap } : null;
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
