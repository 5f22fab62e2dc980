/**
 * Rule `whole-image`: a crop or zoom of (nearly) the whole picture, or code that only shows a picture of the prompt again.
 * Proves: the box covers at least 0.95 of the image and nothing enlarges, enhances, rotates or measures it.
 * Does not prove: anything about boxes in pixels on an image whose size the log does not have. Source: hdpo.md section 3.
 */
import type { Rollout } from '../../model/rollout.ts';
import type { CallFacts } from './callFacts.ts';
import { coverage, cropOfArguments, cropsOfPython, type Size } from './cropBox.ts';
import { promptPicture, sizeOfPicture } from './pictures.ts';
import type { PythonCode } from './pythonCode.ts';
import { buildFlag, type Flag, type Rule } from './rule.ts';
import { codeOf, isCodeTool } from './toolKinds.ts';

const id = 'whole-image';

/** What shows more than the policy saw, or something else. */
const processes =
  /resize|thumbnail|zoom|enhance|Image(?:Enhance|Filter|Ops|Draw)|filter|rotate|transpose|flip|convert\(|point\(|figsize|dpi|cv2\.|cmap|invert|threshold|contrast|sharp|bright|ocr|tesseract|getpixel|getbbox|np\.|numpy|\.mean\(|histogram|mode\b/iu;
/** All that code which merely shows a picture does. */
const showing =
  /^(?:import|from|plt\.(?:imshow|show|axis|tight_layout|title|figure|close)\b|display\(|[\w.]+\.show\(\)|print\((?:\w+\.)?(?:size|format)\)|\w+\s*=\s*Image\.open\(|\w+$|#)/u;

/** Flags, as likely, crops of the whole image and code that only shows what the prompt shows. */
export const wholeImage: Rule = {
  id,
  hintsOnly: false,
  flag: (facts, { coveredShare }) =>
    facts.judged.flatMap((call) => {
      const found = evidenceOf(facts, call);
      if (found === null || found.share < coveredShare) return [];
      const measured = { threshold: 'coveredShare', value: found.share } as const;
      return [buildFlag({ call, rule: id, confidence: 'likely', evidence: [found.evidence], measured })];
    }),
};

interface Found {
  /** 1 where nothing was left out. */
  readonly share: number;
  readonly evidence: Flag['evidence'][number];
}

function evidenceOf(facts: CallFacts, index: number): Found | null {
  const call = facts.rollout.calls[index];
  if (!call || call.outcome === 'failed' || call.outcome === 'malformed' || call.outcome === 'timeout') return null;
  if (!isCodeTool(call.tool)) {
    const crop = cropOfArguments(call.arguments);
    return crop === null ? null : covers(coverage(crop.box, sizeOf(facts.rollout, crop.image)));
  }
  // Parsing is dear: only code that mentions a picture is looked at.
  const text = codeOf(call.tool, call.arguments) ?? '';
  if (!/crop|imshow|\.show\(|display\(|Image\.open/u.test(text) || processes.test(text)) return null;
  const code = facts.code(index);
  if (code === null || !code.valid) return null;
  const crops = cropsOfPython(code);
  if (crops === null) return null;
  if (crops.length > 0) {
    const shares = crops.map(({ box, image }) => coverage(box, sizeOf(facts.rollout, image)));
    return shares.some((share) => share === null) ? null : covers(Math.min(...shares.map((share) => share ?? 0)));
  }
  return onlyShows(code) && facts.rollout.images.some(({ origin }) => origin === 'prompt')
    ? { share: 1, evidence: { name: 'shows', value: 'a picture of the prompt as it is' } }
    : null;
}

function covers(share: number | null): Found | null {
  return share === null ? null : { share, evidence: { name: 'coverage', value: share } };
}

function onlyShows({ text }: PythonCode): boolean {
  const lines = text.split(/[\n;]/u).map((line) => line.trim());
  return (
    lines.some((line) => /imshow|show\(|display\(/u.test(line)) &&
    lines.every((line) => line === '' || showing.test(line))
  );
}

function sizeOf(rollout: Rollout, name: string): Size | null {
  return sizeOfPicture(rollout, promptPicture(rollout, name));
}
