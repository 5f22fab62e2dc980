/**
 * Whether the first 64 KB of a text look like a rollout log: only then is the engine asked (and started). A guess that
 * costs nothing for foreign files; the engine decides. Pure.
 */

/** Characters that are looked at. */
export const sniffedCharacters = 65_536;

/** Keys that rollout logs of the read formats have; two of them must occur. */
const keys = [
  'input',
  'output',
  'gts',
  'score',
  'reward',
  'tool_interact_info',
  'traj',
  'task_id',
  'messages',
  'completion',
  'prompt',
  'trajectory',
  'acc',
  'uid',
  'step',
];

/** True if the head may be that of a rollout log. */
export function looksLikeRolloutLog(head: string): boolean {
  const start = head.slice(0, sniffedCharacters);
  if (!/^[\ufeff\s]*[[{]/.test(start)) return false;
  let found = 0;
  for (const key of keys) {
    if (new RegExp(`"${key}"\\s*:`).test(start)) found += 1;
    if (found === 2) return true;
  }
  // A first line that is longer than the head shows perhaps one key: a prompt can fill it alone.
  return found === 1 && start.length === sniffedCharacters && !/[\r\n]/.test(start.trimEnd());
}
