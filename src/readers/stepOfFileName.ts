/**
 * The number in the name of a home-made log that counts training steps (formats.md 10.2: "a number in the file name"):
 * behind the word that says so, else at the end of the name behind a word of rollouts or with leading zeros. Pure.
 * Leaves out folders (engine/stepOfPath.ts), and numbers that are dates, sizes and versions.
 */

const stepWord = /(?:step|iter|iteration)[_=-]?(\d{1,9})(?!\d)[^/]*$/iu;
const number = /^(\d{1,9})\.[a-z]/iu;
const countedWord =
  /(?<![a-z])(?:rollouts?|samples?|batch|batches|epochs?|rounds?|updates?|generations?|completions?|outputs?|responses?|trajector(?:y|ies)|trajs?|episodes?|traces?|dumps?)[_.=-]?(\d{1,9})\.[a-z][^/]*$/iu;
/** `train_000012.jsonl`; what is cut into parts is numbered like this too. */
const padded =
  /(?<![a-z])(?!(?:of|rank|worker|shard|part|chunk|split|fold|seed)[_.-])[a-z]+[_.-](0\d{3,8})\.[a-z][^/]*$/iu;
const date = /^20\d{2}[01]\d[0-3]\d$/u;

/** The step that a file name means, folders before it left out; null if none. */
export function stepOfFileName(name: string): number | null {
  for (const pattern of [stepWord, number, countedWord, padded]) {
    const digits = pattern.exec(name)?.[1];
    if (digits !== undefined && !date.test(digits)) return Number(digits);
  }
  return null;
}
